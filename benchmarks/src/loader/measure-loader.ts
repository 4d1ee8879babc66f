import {
  ClipLoader,
  LabelledClipLoader,
  type DecoderName,
  type Ffmpeg,
  type VideoEntry,
} from '@tubelet/video';
import { readdirSync, readFileSync } from 'node:fs';

/** One way to decode. */
export interface Contender {
  readonly name: string;
  readonly decoder: DecoderName;
  readonly ffmpeg: Ffmpeg;
}

export interface LoaderResult {
  readonly name: string;
  /** What the clips were of: `mp4`, `shards` or `jpg`. */
  readonly source: string;
  /** As the loader describes it. */
  readonly decoder: string;
  readonly clips: number;
  readonly seconds: number;
  readonly clipsPerSecond: number;
  /** Of every round, in order: the n-th ones of two loaders were taken one after the other. */
  readonly roundClipsPerSecond: readonly number[];
  /** Processor time of the program and its processes, in parts of one core; undefined where it cannot be read. */
  readonly cores?: number;
  /** Share of its time that a trainer waits for clips. */
  readonly waited: number;
}

export interface LoaderWorkload {
  /** With `jpg`, clips for fine-tuning are loaded, otherwise for pre-training. */
  readonly source: 'mp4' | 'shards' | 'jpg';
  readonly entries: readonly VideoEntry[];
  readonly batchSize: number;
  readonly workers: number;
  /** How long each contender is measured after its first batch, once by itself and once with the trainer. */
  readonly seconds: number;
  /** Of the trainer that stands in: it takes a batch and then does nothing for as long as that takes. */
  readonly trainerClipsPerSecond: number;
}

/** Clock ticks in a second of /proc: the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * Processor seconds of this process and all below it, those that have ended included; undefined where there is no
 * /proc.
 */
export function processorSeconds(): number | undefined {
  const children = new Map<number, { pid: number; ticks: number }[]>();
  let own = 0;
  try {
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      let stat: string;
      try {
        stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      } catch {
        continue; // It has just ended.
      }
      // The fields behind the name, which may hold anything: state, parent, … utime, stime, cutime, cstime.
      const fields = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number);
      const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
      const [pid, parent] = [Number(name), fields[1]!];
      if (pid === process.pid) own = ticks;
      children.set(parent, [...(children.get(parent) ?? []), { pid, ticks }]);
    }
  } catch {
    return undefined;
  }
  const below = (pid: number): number =>
    (children.get(pid) ?? []).reduce((sum, child) => sum + child.ticks + below(child.pid), 0);
  return (own + below(process.pid)) / TICKS_PER_SECOND;
}

type Loader = ClipLoader | LabelledClipLoader;
type Batches = AsyncGenerator<{ readonly names: readonly string[] }, void>;

function openLoader(
  { decoder, ffmpeg }: Contender,
  { source, entries, batchSize, workers }: LoaderWorkload,
): Promise<Loader> {
  const options = { batchSize, workers, decoder, ffmpeg, seed: 0, cacheBytes: 0 };
  if (source === 'jpg') {
    const videos = entries.map(({ path }) => ({ id: path, path, label: 0 }));
    return LabelledClipLoader.open({ ...options, videos, classes: 7 });
  }
  const crop = source === 'shards' ? 'none' : 'voxceleb';
  return ClipLoader.open({ ...options, entries, crop, clipsPerVideo: 1000 });
}

/** One epoch after the other. */
async function* batchesOf(loader: Loader): Batches {
  for (let epoch = 0; ; epoch++) yield* loader.epoch(epoch);
}

/** Loads clips as training does, 16 frames at step 4, until the time is over. */
export async function measureLoader(contender: Contender, workload: LoaderWorkload): Promise<LoaderResult> {
  const { name } = contender;
  const { source, batchSize, seconds, trainerClipsPerSecond } = workload;
  const loader = await openLoader(contender, workload);
  try {
    const batches = batchesOf(loader);
    // The first batch pays for starting threads and processes.
    await batches.next();
    const [begin, before] = [performance.now(), processorSeconds()];
    let clips = 0;
    do clips += await take(batches);
    while (performance.now() - begin < seconds * 1000);
    const elapsed = (performance.now() - begin) / 1000;
    const after = processorSeconds();
    const waited = await trainOn(batches, seconds, batchSize / trainerClipsPerSecond);
    if (loader.badFiles.length > 0) {
      throw new Error(`${name} could not decode ${loader.badFiles[0]!.path}: ${loader.badFiles[0]!.reason}`);
    }
    const clipsPerSecond = clips / elapsed;
    return {
      ...{ name, source, decoder: loader.decoder, clips, seconds: elapsed, clipsPerSecond },
      roundClipsPerSecond: [clipsPerSecond],
      cores: before === undefined || after === undefined ? undefined : (after - before) / elapsed,
      waited,
    };
  } finally {
    await loader.close();
  }
}

/** Takes a batch; gives the number of its clips. */
async function take(batches: Batches): Promise<number> {
  const { value } = await batches.next();
  return value!.names.length;
}

/** Trains, in a manner of speaking; gives the share of the time that was spent waiting for batches. */
async function trainOn(batches: Batches, seconds: number, stepSeconds: number): Promise<number> {
  const begin = performance.now();
  let waitedMs = 0;
  do {
    const asked = performance.now();
    await take(batches);
    waitedMs += performance.now() - asked;
    await new Promise((resolve) => setTimeout(resolve, 1000 * stepSeconds));
  } while (performance.now() - begin < seconds * 1000);
  return waitedMs / (performance.now() - begin);
}
