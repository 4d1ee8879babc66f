// A month of pre-training on 1.1 million clips, as far as the order of clips and the learning rate go: killed every few
// hours, resumed with other numbers of ranks. Says what every epoch has shown.
//
//   npm run simulate:month [-- EPOCHS]
import { simulateMonth } from '../packages/trainer/src/testing/month.js';

const epochs = Number(process.argv[2] ?? 100);
if (!Number.isInteger(epochs) || epochs < 2) throw new Error(`${process.argv[2]} is not a number of epochs`);
const options = {
  shardSamples: new Array<number>(220).fill(5000),
  epochs,
  batchesPerStep: 8,
  batchSize: 128,
  killEvery: 777,
  checkpointEvery: 100,
  ranks: [8, 4, 2, 1, 8, 2],
};
const result = await simulateMonth(options, (epoch) => console.error(`epoch ${epoch + 1} of ${epochs}`));
console.log(JSON.stringify(result, null, 2));
