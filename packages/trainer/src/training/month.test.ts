import { expect, it } from 'vitest';
import { simulateMonth } from '../testing/month.js';

it('shows every clip once an epoch, at the rate of a run without restarts, whatever the ranks it goes on with', async () => {
  // `npm run simulate:month` does the same with 1.1 million clips and a hundred epochs.
  const shardSamples = [...new Array<number>(20).fill(500), 1, 0, 777];
  const result = await simulateMonth({
    ...{ shardSamples, epochs: 6, batchesPerStep: 8, batchSize: 4 },
    ...{ killEvery: 230, checkpointEvery: 50, ranks: [8, 2, 4, 1] },
  });
  const clips = 10_778;
  const stepsPerEpoch = Math.floor(clips / 32);
  expect(result).toMatchObject({
    ...{ steps: 6 * stepsPerEpoch, shown: 6 * stepsPerEpoch * 32, shownTwice: 0, largestRateDifference: 0 },
    leftOut: 6 * (clips - stepsPerEpoch * 32),
  });
  expect(result.restarts).toBeGreaterThan(8);
  expect(result.repeatedSteps).toBeGreaterThan(0);
  // Nowhere steeper than in the middle of the cosine, which falls within one epoch here.
  expect(result.largestRateStep).toBeLessThan(Math.PI / 2 / stepsPerEpoch);
});
