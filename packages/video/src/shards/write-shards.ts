/** From videos to shards of clips of the training's size. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename, dirname, extname, sep } from 'node:path';
import { requireInteger } from '../check-options.js';
import type { CropMode } from '../pixels/crop.js';
import { NoReadableVideoError, ShardFolderError, VideoDecodeError, type BadFile } from '../errors.js';
import type { FaceDetector } from '../faces/face.js';
import { faceClip } from '../faces/face-clip.js';
import { DecoderPool } from '../loader/pool.js';
import { prefetch } from '../loader/prefetch.js';
import type { VideoEntry } from '../sources/video-entry.js';
import type { EncodedClip } from './encode-clip.js';
import type { ShardSettings } from './shard-index.js';
import { ShardWriter, type ShardProgress } from './shard-writer.js';

export interface ShardOptions {
  /** As `listVideos` finds them; whole videos, their `timeRange` is not looked at. */
  entries: readonly VideoEntry[];
  /** Files beside them that are not videos, for the list of what was left out. */
  skipped?: readonly BadFile[];
  /** Edge of the frames, even. */
  size: number;
  /** `face`: the aligned face of whoever is seen largest and longest, as `data faces` cuts it. */
  crop: CropMode | 'face';
  /** Finds the faces; closed by its owner. */
  detector?: FaceDetector;
  /** Frames from one key frame to the next: what a random clip costs to decode, against the bytes it takes. */
  keyFrameInterval: number;
  /** The size at which a shard ends. */
  shardBytes: number;
  /** See `DecoderPoolOptions`. */
  workers?: number;
}

/** What shards will take, by a sample of the sources. */
export interface ShardEstimate {
  /** Sources that were encoded for it, and how many of them were left out. */
  sampled: number;
  rejected: number;
  lengthBytes: number;
  seconds: number;
}

function checkOptions({ size, crop, detector, keyFrameInterval, shardBytes }: ShardOptions): void {
  if (crop === 'face' && detector === undefined)
    throw new TypeError('crop is face: give a detector, which finds them.');
  requireInteger('size', size, 2);
  if (size % 2 !== 0)
    throw new RangeError(`size is ${size}: H.264 with half the colours wants an even number.`);
  requireInteger('keyFrameInterval', keyFrameInterval, 1);
  requireInteger('shardBytes', shardBytes, 1);
}

/** Names a list of sources: another one for others, or another order, wherever their folder lies. */
function fingerprint(entries: readonly VideoEntry[]): string {
  const hash = createHash('sha256');
  const folder = dirname(entries[0]?.path ?? '') + sep;
  for (const { path, label } of entries) {
    hash.update(`${path.startsWith(folder) ? path.slice(folder.length) : path}\t${label ?? ''}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

const LONGEST_STEM = 60;

/** The name of a clip in its shard. Nothing but its extension may follow a dot. */
function keyOf(index: number, { path }: VideoEntry): string {
  const stem = basename(path, extname(path))
    .replace(/[^A-Za-z0-9_-]/g, '_')
    .slice(0, LONGEST_STEM);
  return `${String(index).padStart(9, '0')}-${stem}`;
}

function isGone(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    // There, but not to be looked at.
    return false;
  }
}

function noClipError(folder: string, rejected: readonly BadFile[]): NoReadableVideoError {
  const first = rejected[0] as BadFile;
  return new NoReadableVideoError(
    `None of the ${rejected.length} sources gives a clip; the first, ${first.path}: ${first.reason}. ` +
      `Mend them or give others, remove ${folder}, and begin again.`,
    rejected,
  );
}

/** Makes shards with threads and processes that are kept for as long as it is open. */
export class ShardMaker {
  private constructor(
    private readonly options: ShardOptions,
    private readonly pool: DecoderPool,
  ) {}

  /** @throws RangeError, TypeError; WebCodecsNotFoundError, since that package encodes; FfmpegNotFoundError. */
  static async open(options: ShardOptions): Promise<ShardMaker> {
    checkOptions(options);
    return new ShardMaker(
      options,
      await DecoderPool.open({ workers: options.workers, decoder: 'webcodecs' }),
    );
  }

  /** What decodes, in a line. */
  get decoder(): string {
    return this.pool.description;
  }

  /** Encodes `count` sources, evenly spread over the list, and reckons from them. */
  async estimate(count: number): Promise<ShardEstimate> {
    const { entries } = this.options;
    const sampled = Math.min(count, entries.length);
    const pick = (i: number) => entries[Math.floor(((i + 0.5) * entries.length) / sampled)] as VideoEntry;
    const begin = performance.now();
    let [lengthBytes, rejected] = [0, 0];
    await Promise.all(
      Array.from({ length: sampled }, async (_, i) => {
        const clip = await this.encode(pick(i));
        if ('mp4' in clip) lengthBytes += clip.mp4.length;
        else rejected++;
      }),
    );
    const times = entries.length / sampled;
    const seconds = ((performance.now() - begin) / 1000) * times;
    return { sampled, rejected, lengthBytes: lengthBytes * times, seconds };
  }

  /**
   * Writes the shards. The same sources and options give the same bytes on the same machine, also where it was stopped
   * or killed on the way and gone on with.
   *
   * @param onProgress told after each source how many are done, and of one that was left out.
   * @param isStopped asked after each source; where it says so, the shards are left to be gone on with.
   * @returns whether all is done, and what there is.
   * @throws ShardFolderError; NoReadableVideoError, before the shards are called complete, where there is no clip
   */
  async write(
    folder: string,
    resume: boolean,
    onProgress: (done: number, rejected: BadFile | undefined) => void,
    isStopped: () => boolean,
  ): Promise<{ finished: boolean; progress: Readonly<ShardProgress> }> {
    const { entries, crop } = this.options;
    const writer = await ShardWriter.open(folder, this.settings(), resume);
    try {
      let index = writer.progress.sources;
      // Faces are held in memory until they are encoded, and a few videos keep all threads of the detector busy.
      const ahead = crop === 'face' ? Math.ceil(this.pool.workers / 2) : 2 * this.pool.workers;
      const clips = prefetch((i) => this.encode(entries[i] as VideoEntry), {
        ...{ first: index, end: entries.length, ahead },
      });
      for await (const clip of clips) {
        const entry = entries[index] as VideoEntry;
        const rejected = 'mp4' in clip ? undefined : clip;
        if ('mp4' in clip) await writer.add(keyOf(index, entry), entry.path, entry.label, clip);
        else await writer.reject(clip);
        index++;
        onProgress(index, rejected);
        if (isStopped()) break;
      }
      const finished = index === entries.length;
      const { clips: made, rejected } = writer.progress;
      if (finished && made === 0) throw noClipError(folder, rejected);
      if (finished) await writer.finish(this.options.skipped ?? []);
      return { finished, progress: writer.progress };
    } finally {
      await writer.close();
    }
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  private settings(): ShardSettings {
    const { entries, size, crop, keyFrameInterval, shardBytes } = this.options;
    const encoder = `@napi-rs/webcodecs ${this.pool.webcodecs?.version}`;
    const shape = { size, crop, keyFrameInterval, shardBytes };
    return { sources: fingerprint(entries), count: entries.length, ...shape, encoder };
  }

  private async encode({ path, member }: VideoEntry): Promise<EncodedClip | BadFile> {
    try {
      const info = await this.pool.probe(path, member);
      const { crop, detector, size } = this.options;
      if (crop !== 'face') return await this.pool.encode(info, crop, this.options);
      return await this.pool.encode(
        info,
        'none',
        this.options,
        await faceClip(this.pool, info, detector!, size),
      );
    } catch (error) {
      if (!(error instanceof VideoDecodeError)) throw error;
      // A disk that went away would leave shards that lack all that was on it.
      const file = member?.shard ?? path;
      if (isGone(file))
        throw new ShardFolderError(
          `${file} is gone since it was listed: bring it back, then go on with --resume, or begin again where no ` +
            'shards were begun.',
          { cause: error },
        );
      return { path, reason: error.reason };
    }
  }
}
