import { defaultWorkerCount } from '@tubelet/video';
import { Command } from 'commander';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { benchmarksOf } from '../shared/beside.js';
import { openJson } from '../shared/json-output.js';
import { positiveInteger, runProgram } from '../shared/program.js';
import { formatComparisons, measureBeside } from './beside.js';
import { FOLDER, VIDEO } from './make-videos.js';
import { findContenders, measureLoaders } from './measure-loaders.js';
import { formatLoader } from './report.js';
import { openSources } from './sources.js';

interface Options {
  readonly seconds: number;
  readonly rounds: number;
  readonly workers: number;
  readonly batchSize: number;
  readonly trainer: number;
  readonly chosen?: true;
  readonly sources?: string;
  readonly beside?: string;
  readonly json?: string | true;
}

const program = new Command('bench:loader')
  .description(
    'Clips a second of the loaders (16 frames of 160×160 at step 4): for pre-training from generated mp4 files ' +
      `(${VIDEO.width}×${VIDEO.height}, ${VIDEO.frames} frames, H.264, one key frame) and from shards made of them, for ` +
      `each decoder of this machine; for fine-tuning from folders of jpg frames (${FOLDER.width}×${FOLDER.height}); the ` +
      'processor time they take, and the share of its time that a trainer waits.',
  )
  .option('--seconds <n>', 'how long each decoder is measured in a round', positiveInteger, 10)
  .option('--rounds <n>', 'how often each decoder is measured, all of a source in turn', positiveInteger, 1)
  .option('--workers <n>', 'decoders that run side by side', positiveInteger, defaultWorkerCount())
  .option('--batch-size <n>', 'clips of a batch', positiveInteger, 8)
  .option('--trainer <n>', 'clips a second that the trainer takes', positiveInteger, 30)
  .option('--chosen', 'only the decoder that programs take on this machine')
  .option(
    '--sources <folder>',
    'keep the files that are loaded in this folder: made where they are missing, enough for this batch size, and ' +
      'read where they are there',
  )
  .option(
    '--beside <folder>',
    'take every round in turn with the same benchmark of another checkout, built there, on the same files, and say how ' +
      'they compare; with the decoder that each of them chooses, as --chosen does',
  )
  .option('--json [file]', 'write JSON to a file, or to standard output instead of the table');

async function run(options: Options): Promise<number> {
  if (options.sources !== undefined) return measure(options, resolve(options.sources));
  const folder = mkdtempSync(join(tmpdir(), 'tubelet-loader-'));
  try {
    return await measure(options, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(options: Options, folder: string): Promise<number> {
  const { seconds, rounds, workers, batchSize, trainer, chosen = false, beside, json } = options;
  const writeJson = openJson(json);
  // Before files are made for it.
  if (beside !== undefined) benchmarksOf(beside, 'loader');
  const found = await findContenders();
  const sources = await openSources(folder, batchSize, chosen ? found.slice(0, 1) : found);
  const settings = { batchSize, workers, seconds, trainerClipsPerSecond: trainer };
  if (beside !== undefined) {
    const comparisons = await measureBeside(beside, [
      ...['--sources', folder, '--batch-size', String(batchSize), '--workers', String(workers)],
      ...['--seconds', String(seconds), '--rounds', String(rounds), '--trainer', String(trainer)],
    ]);
    if (json !== true) {
      console.log(formatComparisons(comparisons, trainer));
      console.log(`Rounds of ${seconds} s, ${rounds} of each, taken in turn with those of ${beside}.`);
    }
    writeJson({ rounds, ...settings, comparisons });
    return 0;
  }
  const results = await measureLoaders(sources, settings, rounds);
  const cores = availableParallelism();
  if (json !== true) console.log(formatLoader(results, cores, trainer));
  // Files of a folder that is kept may be others.
  const made = options.sources === undefined && { video: VIDEO, folder: FOLDER };
  writeJson({ ...made, rounds, ...settings, cores, results });
  return 0;
}

await runProgram(program, run);
