// Draws miniature data sets of faces, pre-trains a small masked autoencoder on one without labels, fine-tunes it on the
// other to tell expressions apart, tests it on people it has not seen, and asks it about one video. Made for a machine
// without a GPU: minutes on two processor cores.
//
//   npm run demo:finetune
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  finetuning,
  labelledFaces,
  pretraining,
  unlabelledFaces,
} from '../apps/tubelet/src/study/faces-recipe.js';
import { optionWords } from '../apps/tubelet/src/study/option-words.js';
import { commandText, requireBuilt, runProgram } from './lib/programs.js';
import { root } from './lib/root.mjs';

const FOLD = 1;
// Drawn in a minute.
const LABELLED = { ...labelledFaces, subjects: 60 };
const UNLABELLED = { ...unlabelledFaces, subjects: 30 };
const PRETRAINING = { ...pretraining, epochs: 16 };
const FINETUNING = { ...finetuning, epochs: 12 };
const VALIDATE_EVERY = 4;

const say = (line: string) => console.log(`[demo] ${line}`);
const place = (path: string) => relative(root, path);

const faces = join(root, 'data', 'faces-demo');
const unlabelled = join(root, 'data', 'faces-demo-unlabelled');
const runFolder = join(root, 'runs', 'demo-finetune');
const pretrained = join(runFolder, 'pretrained');
const finetuned = join(runFolder, 'finetuned');

/** Removes what an earlier demo left, and nothing else. */
function startAfresh() {
  if (!existsSync(runFolder)) return;
  for (const run of [pretrained, finetuned]) {
    if (!existsSync(run)) continue;
    const config = join(run, 'config.json');
    if (!existsSync(config))
      throw new Error(`${place(run)} holds something else: move it away and run again.`);
    say(`removing the earlier ${place(run)}`);
    rmSync(run, { recursive: true });
  }
}

/** A video of a person that training has not seen, with its class. */
function testVideo() {
  const [, ...lines] = readFileSync(join(faces, 'faces.csv'), 'utf8').trim().split('\n');
  const rows = lines.map((line) => line.split(','));
  const [path, label] = rows.find(([, label, fold]) => Number(fold) === FOLD && label === 'surprise') ?? [];
  if (path === undefined) throw new Error(`${place(faces)} has no video of surprise in fold ${FOLD}`);
  return { path: join(faces, path), label };
}

async function demo() {
  if (process.argv.length > 2) throw new Error(`Unknown option ${process.argv[2]}; the demo takes none.`);
  requireBuilt();
  startAfresh();
  say('step 1 of 4: drawing faces; they are schematic, and nothing about real ones follows from them');
  await runProgram(['faces', '--out', place(faces), ...optionWords(LABELLED)]);
  await runProgram(['faces', '--out', place(unlabelled), ...optionWords(UNLABELLED)]);
  say('step 2 of 4: pre-training without labels, on other people');
  await runProgram([
    'pretrain',
    place(join(unlabelled, 'clips')),
    ...optionWords({ out: place(pretrained), ...PRETRAINING }),
  ]);
  say('step 3 of 4: fine-tuning with labels, and testing on people it has not seen');
  await runProgram([
    'finetune',
    ...optionWords({
      data: 'csv',
      root: place(join(faces, 'faces.csv')),
      fold: FOLD,
      from: place(pretrained),
      out: place(finetuned),
      'validate-every': VALIDATE_EVERY,
      ...FINETUNING,
    }),
  ]);
  const video = testVideo();
  say(`step 4 of 4: asking about a video of ${video.label}`);
  await runProgram(['predict', place(video.path), '--checkpoint', place(finetuned)]);
  console.log(`
run report   ${place(join(finetuned, 'report.html'))}
test report  ${place(join(finetuned, 'test', 'report.html'))}

What next:
  a video of your own
    ${commandText(['predict', 'VIDEO', '--checkpoint', place(finetuned)])}
  one of the six published data sets, on a machine with a GPU
    ${commandText(['data', 'check', 'dfew', '--root', 'FOLDER'])}
    ${commandText(['finetune', '--help'])}`);
}

try {
  await demo();
} catch (error) {
  console.error(`[demo] ${(error as Error).message}`);
  process.exitCode = 1;
}
