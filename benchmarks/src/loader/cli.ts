import { defaultWorkerCount } from '@tubelet/video';
import { Command } from 'commander';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJson } from '../shared/json-output.js';
import { positiveInteger, runProgram } from '../shared/program.js';
import { FOLDER, VIDEO } from './make-videos.js';
import { findContenders, makeSources, measureLoaders } from './measure-loaders.js';
import { formatLoader } from './report.js';

interface Options {
  readonly seconds: number;
  readonly workers: number;
  readonly batchSize: number;
  readonly trainer: number;
  readonly json?: string | true;
}

const program = new Command('bench:loader')
  .description(
    'Clips a second of the loaders (16 frames of 160×160 at step 4): for pre-training from generated mp4 files ' +
      `(${VIDEO.width}×${VIDEO.height}, ${VIDEO.frames} frames, H.264, one key frame) and from shards made of them, for ` +
      `each decoder of this machine; for fine-tuning from folders of jpg frames (${FOLDER.width}×${FOLDER.height}); the ` +
      'processor time they take, and the share of its time that a trainer waits.',
  )
  .option('--seconds <n>', 'how long each decoder is measured', positiveInteger, 10)
  .option('--workers <n>', 'decoding threads or processes', positiveInteger, defaultWorkerCount())
  .option('--batch-size <n>', 'clips of a batch', positiveInteger, 8)
  .option('--trainer <n>', 'clips a second that the trainer takes', positiveInteger, 30)
  .option('--json [file]', 'write JSON to a file, or to standard output instead of the table');

async function run({ seconds, workers, batchSize, trainer, json }: Options): Promise<number> {
  const writeJson = openJson(json);
  const contenders = await findContenders();
  const folder = mkdtempSync(join(tmpdir(), 'tubelet-loader-'));
  try {
    const sources = await makeSources(folder, batchSize, contenders);
    const settings = { batchSize, workers, seconds, trainerClipsPerSecond: trainer };
    const results = await measureLoaders(sources, settings);
    const cores = availableParallelism();
    if (json !== true) console.log(formatLoader(results, cores, trainer));
    writeJson({ video: VIDEO, folder: FOLDER, workers, batchSize, trainer, cores, results });
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await runProgram(program, run);
