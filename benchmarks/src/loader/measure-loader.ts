import { ClipLoader, type DecoderName, type Ffmpeg } from '@tubelet/video';
import { readdirSync, readFileSync } from 'node:fs';

/** One way to decode. */
export interface Contender {
  readonly name: string;
  readonly decoder: DecoderName;
  readonly ffmpeg: Ffmpeg;
}

export interface LoaderResult {
  readonly name: string;
  /** As the loader describes it. */
  readonly decoder: string;
  readonly clips: number;
  readonly seconds: number;
  readonly clipsPerSecond: number;
  /** Processor time of the program and its processes, in parts of one core; undefined where it cannot be read. */
  readonly cores?: number;
}

export interface LoaderWorkload {
  readonly paths: readonly string[];
  readonly batchSize: number;
  readonly workers: number;
  /** How long each contender is measured, after its first batch. */
  readonly seconds: number;
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

/** Loads clips as pre-training does, 16 frames at step 4, until the time is over. */
export async function measureLoader(
  { name, decoder, ffmpeg }: Contender,
  { paths, batchSize, workers, seconds }: LoaderWorkload,
): Promise<LoaderResult> {
  const loader = await ClipLoader.open({
    entries: paths.map((path) => ({ path })),
    ...{ batchSize, workers, decoder, ffmpeg, seed: 0, crop: 'voxceleb', cacheBytes: 0, clipsPerVideo: 1000 },
  });
  try {
    let clips = 0;
    let begin: { time: number; processor: number | undefined } | undefined;
    for await (const { names } of loader.epoch(0)) {
      // The first batch pays for starting threads and processes.
      if (begin === undefined) {
        begin = { time: performance.now(), processor: processorSeconds() };
        continue;
      }
      clips += names.length;
      if (performance.now() - begin.time > seconds * 1000) break;
    }
    const elapsed = (performance.now() - begin!.time) / 1000;
    const [before, after] = [begin!.processor, processorSeconds()];
    if (loader.badFiles.length > 0) {
      throw new Error(`${name} could not decode ${loader.badFiles[0]!.path}: ${loader.badFiles[0]!.reason}`);
    }
    return {
      ...{ name, decoder: loader.decoder, clips, seconds: elapsed, clipsPerSecond: clips / elapsed },
      cores: before === undefined || after === undefined ? undefined : (after - before) / elapsed,
    };
  } finally {
    await loader.close();
  }
}
