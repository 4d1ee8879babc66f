// The paper's Table 2 in miniature: what pre-training is worth. One pre-training on drawn faces without labels; then,
// for each seed, fine-tuning from it and from scratch with the same budget, each tested on people that neither has seen.
//
//   npm run study [-- --seeds 3 --pretraining-epochs 25 --epochs 20 --fold 1]
//
// What is finished is not done again: an interrupted study goes on where it stopped.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { finetuning, pretraining, unlabelledFaces } from './lib/faces-recipe.mjs';
import { optionWords, requireBuilt, runProgram } from './lib/programs.mjs';
import { root } from './lib/root.mjs';
import { studyTable, summarise } from './lib/study-table.mjs';

/** Twice the people of the default: a test of 84 clips would leave the metrics to chance. */
const LABELLED = { subjects: 60 };

const say = (line) => console.log(`[study] ${line}`);
const place = (path) => relative(root, path);

function readOptions() {
  const presets = { seeds: '3', 'pretraining-epochs': '25', epochs: '20', fold: '1' };
  const names = Object.keys(presets);
  const { values } = parseArgs({
    options: Object.fromEntries(names.map((name) => [name, { type: 'string', default: presets[name] }])),
  });
  for (const name of names) {
    if (!/^[1-9]\d*$/.test(values[name]))
      throw new Error(`--${name} is ${values[name]}: give a whole number above 0.`);
  }
  return Object.fromEntries(names.map((name) => [name, Number(values[name])]));
}

/** Begins a run, or goes on with it; one that is finished is left alone. */
async function run(app, words, out, isFinished) {
  if (isFinished()) return say(`${place(out)} is there`);
  const resume = existsSync(join(out, 'config.json')) ? ['--resume'] : [];
  await runProgram(app, [...words, '--out', place(out), ...resume]);
  if (!isFinished()) throw new Error('Stopped; the same command goes on from here.');
}

/** Whether the log of a run says that its last step is done. */
function hasEnded(directory) {
  const log = join(directory, 'log.jsonl');
  return existsSync(log) && readFileSync(log, 'utf8').includes('{"type":"end"');
}

function resultOf(directory) {
  const { metrics } = JSON.parse(readFileSync(join(directory, 'test', 'evaluation.json'), 'utf8'));
  return { uar: metrics.uar, war: metrics.war };
}

async function study() {
  const { seeds, 'pretraining-epochs': pretrainingEpochs, epochs, fold } = readOptions();
  requireBuilt('faces', 'pretrain', 'finetune');
  const directory = join(root, 'runs', 'study');
  const [labelled, unlabelled] = [join(root, 'data', 'faces-study'), join(root, 'data', 'faces-unlabelled')];
  await runProgram('faces', ['--out', place(labelled), ...optionWords(LABELLED)]);
  await runProgram('faces', ['--out', place(unlabelled), ...optionWords(unlabelledFaces)]);

  const pretrained = join(directory, `pretrained-${pretrainingEpochs}`);
  const pretrain = ['train', place(join(unlabelled, 'clips'))];
  pretrain.push(...optionWords({ epochs: pretrainingEpochs, ...pretraining }));
  await run('pretrain', pretrain, pretrained, () => hasEnded(pretrained));

  const rows = [];
  for (let seed = 0; seed < seeds; seed++) {
    const results = {};
    for (const start of ['pretrained', 'scratch']) {
      const out = join(directory, `fold-${fold}-${start}-${pretrainingEpochs}-${epochs}-seed-${seed}`);
      const data = { data: 'csv', root: place(join(labelled, 'faces.csv')), fold, seed, epochs };
      // Nothing is chosen by validation, so all clips of the other folds train.
      Object.assign(data, { 'validate-on': 'none' });
      const from = start === 'pretrained' ? { from: place(pretrained) } : {};
      const words = ['train', ...optionWords({ ...data, ...from, ...finetuning })];
      await run('finetune', words, out, () => existsSync(join(out, 'test', 'evaluation.json')));
      results[start] = resultOf(out);
    }
    rows.push({ seed, ...results });
  }
  const summary = summarise(rows);
  const table = studyTable(rows, summary);
  const settings = { pretrainingEpochs, epochs, fold, pretraining, finetuning };
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'study.json'), `${JSON.stringify({ settings, rows, summary }, null, 2)}\n`);
  writeFileSync(join(directory, 'study.md'), `${table}\n`);
  console.log(`\n${table}\n\n${place(join(directory, 'study.md'))}, study.json`);
}

try {
  await study();
} catch (error) {
  console.error(`[study] ${error.message}`);
  process.exitCode = 1;
}
