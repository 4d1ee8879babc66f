import {
  defaultWorkerCount,
  findWebCodecs,
  resolveFfmpeg,
  wasmFfmpeg,
  type VideoEntry,
} from '@tubelet/video';
import { Command } from 'commander';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJson } from '../shared/json-output.js';
import { positiveInteger, runProgram } from '../shared/program.js';
import { makeShards } from './make-shards.js';
import { FOLDER, makeFolders, makeVideos, VIDEO } from './make-videos.js';
import { measureLoader, type Contender, type LoaderResult, type LoaderWorkload } from './measure-loader.js';
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

/** The decoders of this machine; what is missing is said on standard error. */
async function findContenders(): Promise<Contender[]> {
  const ffmpeg = await resolveFfmpeg();
  const contenders: Contender[] = [];
  await findWebCodecs().then(
    () => contenders.push({ name: '@napi-rs/webcodecs', decoder: 'webcodecs', ffmpeg }),
    (error: unknown) => console.error(`without @napi-rs/webcodecs: ${(error as Error).message}`),
  );
  if (ffmpeg.kind === 'native') contenders.push({ name: 'ffmpeg', decoder: 'ffmpeg', ffmpeg });
  else console.error(`without an ffmpeg program: ${ffmpeg.reason}`);
  const wasm = wasmFfmpeg();
  if (wasm === undefined) console.error('without @ffmpeg/core: it is not installed');
  else contenders.push({ name: '@ffmpeg/core', decoder: 'ffmpeg', ffmpeg: wasm });
  return contenders;
}

async function run({ seconds, workers, batchSize, trainer, json }: Options): Promise<number> {
  const writeJson = openJson(json);
  const contenders = await findContenders();
  const folder = mkdtempSync(join(tmpdir(), 'tubelet-loader-'));
  try {
    console.error('making videos …');
    const paths = await makeVideos(folder, 2 * batchSize, await resolveFfmpeg());
    const entriesOf = (all: string[]) => all.map((path): VideoEntry => ({ path }));
    const sources: (Pick<LoaderWorkload, 'source' | 'entries'> & { contenders: readonly Contender[] })[] = [
      { source: 'mp4', entries: entriesOf(paths), contenders },
    ];
    if (contenders.some(({ decoder }) => decoder === 'webcodecs')) {
      console.error('making shards …');
      sources.push({
        ...{ source: 'shards', entries: await makeShards(join(folder, 'shards'), paths), contenders },
      });
    }
    console.error('making frames …');
    // Frames of folders are read by sharp, whatever decodes videos.
    const frames = await makeFolders(folder, 8 * batchSize);
    const reader = { ...contenders[0]!, name: 'sharp' };
    sources.push({ source: 'jpg', entries: entriesOf(frames), contenders: [reader] });
    const results: LoaderResult[] = [];
    for (const { source, entries, contenders: ofSource } of sources) {
      for (const contender of ofSource) {
        console.error(`${source}, ${contender.name} …`);
        const workload = { source, entries, batchSize, workers, seconds, trainerClipsPerSecond: trainer };
        results.push(await measureLoader(contender, workload));
      }
    }
    const cores = availableParallelism();
    if (json !== true) console.log(formatLoader(results, cores, trainer));
    writeJson({ video: VIDEO, folder: FOLDER, workers, batchSize, trainer, cores, results });
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await runProgram(program, run);
