/** Knows the videos of a data set: what they hold, which are bad, and the frames of those that are kept in memory. */
import type { FrameShape } from './decode';
import { VideoDecodeError, type BadFile } from './errors';
import { framesWithin, type FrameRange } from './frame-range';
import type { DecoderPool } from './pool';
import type { VideoInfo } from './probe';
import type { VideoEntry } from './source';
import type { DecodedFrames } from './worker-protocol';

/** A video that can be used, and the part of it that is. */
export interface UsableVideo {
  info: VideoInfo;
  range: FrameRange;
}

export class Catalogue {
  private readonly usable = new Map<number, Promise<UsableVideo>>();
  private readonly decoded = new Map<number, Promise<DecodedFrames>>();
  private readonly bad = new Map<number, BadFile>();
  private cacheBytesLeft: number;

  constructor(
    private readonly pool: DecoderPool,
    private readonly entries: readonly VideoEntry[],
    private readonly shape: FrameShape,
    cacheBytes: number,
    private readonly onBadFile: ((file: BadFile) => void) | undefined,
  ) {
    this.cacheBytesLeft = cacheBytes;
  }

  /** Files found bad so far, in the order of the entries. */
  get badFiles(): BadFile[] {
    return [...this.bad].sort(([a], [b]) => a - b).map(([, file]) => file);
  }

  isBad(entry: number): boolean {
    return this.bad.has(entry);
  }

  allBad(): boolean {
    return this.bad.size === this.entries.length;
  }

  /** Puts a file on the list of bad ones and reports it, once. */
  markBad(entry: number, error: VideoDecodeError): void {
    if (this.bad.has(entry)) return;
    const { path } = this.entries[entry] as VideoEntry;
    const file = { path, reason: error.reason };
    this.bad.set(entry, file);
    this.usable.delete(entry);
    this.onBadFile?.(file);
  }

  /** Reads the header once. Throws a VideoDecodeError also when the wanted stretch of time holds no frame. */
  open(entry: number): Promise<UsableVideo> {
    let usable = this.usable.get(entry);
    if (usable === undefined) {
      usable = this.probe(this.entries[entry] as VideoEntry);
      this.usable.set(entry, usable);
    }
    return usable;
  }

  /**
   * The decoded frames of a video if they are kept in memory: the first videos that come up are decoded whole, as
   * long as they fit.
   */
  framesInMemory(entry: number, { info, range }: UsableVideo): Promise<DecodedFrames> | undefined {
    const existing = this.decoded.get(entry);
    if (existing !== undefined) return existing;
    const neededBytes = (range.end - range.begin) * this.shape.size ** 2 * 3;
    if (neededBytes > this.cacheBytesLeft) return undefined;
    this.cacheBytesLeft -= neededBytes;
    const frames = this.pool
      .readRange(info, this.shape, range.begin, range.end)
      .then((pixels) => ({ frames: pixels.buffer, begin: range.begin }));
    frames.catch(() => (this.cacheBytesLeft += neededBytes));
    this.decoded.set(entry, frames);
    return frames;
  }

  private async probe({ path, timeRange }: VideoEntry): Promise<UsableVideo> {
    const info = await this.pool.probe(path);
    const range = framesWithin(info, timeRange);
    if (range.begin === range.end) {
      const { startSeconds = 0, endSeconds = Infinity } = timeRange ?? {};
      throw new VideoDecodeError(
        path,
        `it lasts ${info.durationSeconds.toFixed(2)} s and has no frame from ${startSeconds} s to ${endSeconds} s`,
      );
    }
    return { info, range };
  }
}
