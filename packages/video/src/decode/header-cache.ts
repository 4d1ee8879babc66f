/**
 * What videos hold, remembered in the cache folder from one run to the next, so that a second run looks at no file
 * again before it decodes it.
 *
 * Videos are spread over 4096 files by their paths. Each file is a list of lines, a new one put at its end in one
 * write: what several threads or programs write at the same time stands side by side. A line that is damaged is
 * passed over, and its video looked at again; of a file that has grown too long the newer half is kept.
 */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { shown } from '@tubelet/kernels';
import { describeTimes, FRAME_FOLDER_RATE, type VideoInfo } from './video-info.js';

/** Of each of the 4096 files: 1 GiB at most in all. */
const FILE_LIMIT_BYTES = 256 * 1024;
/** Long videos with frames at uneven times are not remembered. */
const LINE_LIMIT_BYTES = FILE_LIMIT_BYTES / 4;

/** Times of frames in few characters: the first and last of those at even distances, else every distance in units. */
type StoredTimes = { count: number; first: number; last: number } | { unit: number; ticks: number[] };

/** Finer than any difference that matters. */
const FINEST_UNIT = 1e-7;
const UNITS = [1e-3, FINEST_UNIT];

const evenTime = (first: number, last: number, count: number, i: number) =>
  count === 1 ? first : first + ((last - first) * i) / (count - 1);

function storeTimes(times: Float64Array): StoredTimes {
  const count = times.length;
  const [first, last] = [times[0] as number, times.at(-1) as number];
  if (times.every((time, i) => Math.abs(time - evenTime(first, last, count, i)) < FINEST_UNIT)) {
    return { count, first, last };
  }
  const fits = (unit: number) =>
    times.every((time) => Math.abs(time - Math.round(time / unit) * unit) < FINEST_UNIT);
  const unit = UNITS.find(fits) ?? FINEST_UNIT;
  const ticks = Array.from(times, (time) => Math.round(time / unit));
  return { unit, ticks: ticks.map((tick, i) => (i === 0 ? tick : tick - (ticks[i - 1] as number))) };
}

function restoreTimes(stored: StoredTimes): number[] {
  if ('count' in stored) {
    const { count, first, last } = stored;
    return Array.from({ length: count }, (_, i) => evenTime(first, last, count, i));
  }
  let tick = 0;
  return stored.ticks.map((distance) => (tick += distance) * stored.unit);
}

/** What a video holds, in few characters of JSON. */
export type StoredInfo = Pick<VideoInfo, 'width' | 'height' | 'seekable' | 'colour' | 'container'> & {
  times: StoredTimes;
  /** Of a video of one frame. */
  rate?: number;
};

export function storeInfo(info: Omit<VideoInfo, 'path' | 'kind'>): StoredInfo {
  const { width, height, seekable, colour, container, timesSeconds, frameCount, framesPerSecond } = info;
  const rate = frameCount === 1 ? framesPerSecond : undefined;
  return { width, height, seekable, colour, container, rate, times: storeTimes(timesSeconds) };
}

/** Larger frames than any video has; more would fill the memory. */
const MOST_PIXELS = 2 ** 28;

/**
 * @param lengthBytes of the video: it has no more frames than bytes.
 * @throws TypeError unless a file says of a video what `storeInfo` does
 */
export function checkStoredInfo(info: StoredInfo, lengthBytes: number): void {
  const require = (fits: boolean, name: string, value: unknown) => {
    if (!fits) throw new TypeError(`${name} is ${shown(value)}`);
  };
  require(typeof info === 'object' && info !== null, 'the header', info);
  const { width, height, seekable, times, colour, container, rate } = info;
  const isSize = (size: number) => Number.isSafeInteger(size) && size >= 1;
  require(isSize(width) && isSize(height) && width * height <= MOST_PIXELS, 'the size', [width, height]);
  require(typeof seekable === 'boolean', 'seekable', seekable);
  require(rate === undefined || rate > 0, 'the rate', rate);
  const isObject = (value: unknown) => typeof value === 'object' && value !== null;
  require(colour === undefined ||
    (isObject(colour) && typeof colour.fullRange === 'boolean'), 'the colour', colour);
  require(container === undefined ||
    (isObject(container) &&
      Number.isFinite(container.startSeconds) &&
      [0, 90, 180, 270].includes(container.rotation)), 'the container', container);
  require(isObject(times), 'the times', times);
  const isCount = (count: number) => Number.isSafeInteger(count) && count >= 1 && count <= lengthBytes;
  const { count, first, last } = times as Record<string, number>;
  const { unit, ticks } = times as { unit?: number; ticks?: unknown };
  require(Array.isArray(ticks)
    ? Number.isFinite(unit) && isCount(ticks.length) && ticks.every(Number.isFinite)
    : isCount(count as number) && Number.isFinite(first) && Number.isFinite(last), 'the times', times);
}

export function restoreInfo(
  path: string,
  { times, rate = FRAME_FOLDER_RATE, ...known }: StoredInfo,
): VideoInfo {
  return { path, kind: 'video', ...known, ...describeTimes(restoreTimes(times), rate) };
}

const checksum = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12);

export class HeaderCache {
  /**
   * @param folder made when it is first written to.
   * @param decoder what looked at the videos: another one might see other times.
   */
  constructor(
    private readonly folder: string,
    private readonly decoder: string,
  ) {}

  /** What is known of a file, as long as its size and time of change are the same; undefined where nothing is. */
  find(path: string, stats: Stats): VideoInfo | undefined {
    let lines: string;
    try {
      lines = readFileSync(this.fileOf(path), 'utf8');
    } catch {
      return undefined;
    }
    const key = `\n${this.keyOf(path, stats)}\t`;
    const at = lines.lastIndexOf(key);
    if (at < 0) return undefined;
    const begin = at + key.length;
    const [sum, text = ''] = lines.slice(begin, lines.indexOf('\n', begin)).split('\t', 2);
    return sum === checksum(text) ? restoreInfo(path, JSON.parse(text) as StoredInfo) : undefined;
  }

  /**
   * Remembers what a file holds. Where the folder cannot be written, nothing is remembered.
   *
   * @returns what `find` will say: times come back rounded, and the first run must see those as well.
   */
  remember(info: VideoInfo, stats: Stats): VideoInfo {
    const stored = storeInfo(info);
    const text = JSON.stringify(stored);
    // In front too: the line before may have been cut off.
    const line = `\n${this.keyOf(info.path, stats)}\t${checksum(text)}\t${text}\n`;
    if (line.length <= LINE_LIMIT_BYTES) {
      try {
        mkdirSync(this.folder, { recursive: true });
        const file = this.fileOf(info.path);
        appendFileSync(file, line);
        if (statSync(file).size > FILE_LIMIT_BYTES) keepNewerHalf(file);
      } catch {
        // Not worth ending a run for: the next one looks at the file again.
      }
    }
    return restoreInfo(info.path, stored);
  }

  private fileOf(path: string): string {
    return join(this.folder, createHash('sha256').update(path).digest('hex').slice(0, 3));
  }

  private keyOf(path: string, { size, mtimeMs }: Stats): string {
    return JSON.stringify([path, size, mtimeMs, this.decoder]);
  }
}

function keepNewerHalf(file: string): void {
  const lines = readFileSync(file, 'utf8');
  const begin = lines.indexOf('\n', lines.length - FILE_LIMIT_BYTES / 2);
  writeFileSync(`${file}.${process.pid}`, lines.slice(begin));
  renameSync(`${file}.${process.pid}`, file);
}
