/** Knows the videos of a data set: what they hold, which are bad, and the frames of those that are kept in memory. */
import { cropBox } from '../pixels/crop.js';
import type { FrameShape } from '../decode/decode.js';
import { NoReadableVideoError, VideoDecodeError, type BadFile } from '../errors.js';
import { framesWithin, type FrameRange } from '../decode/frame-range.js';
import { keptFrame, storedBytes } from '../pixels/coded-frames.js';
import type { DecoderPool } from './pool.js';
import type { VideoInfo } from '../decode/video-info.js';
import type { VideoEntry } from '../sources/video-entry.js';
import type { DecodedFrames } from './worker-protocol.js';

/** A video that can be used, and the part of it that is. */
export interface UsableVideo {
  info: VideoInfo;
  range: FrameRange;
}

/** What a catalogue needs to know of an entry. */
export type CatalogueEntry = Pick<VideoEntry, 'path' | 'timeRange' | 'member'>;

/** Headers keep the time of each frame: so many frames of theirs are kept, which takes 64 MiB. */
const KEPT_FRAMES = 2 ** 23;
/** What a header takes beside its times, in frames. */
const FRAMES_OF_HEADER = 64;

interface Header {
  info: Promise<VideoInfo>;
  /** What it weighs, in frames; 0 until it has been read. */
  frames: number;
}

export class Catalogue {
  /** By path, since many entries may be stretches of one video; those used last, as far as they fit. */
  private readonly headers = new Map<string, Header>();
  /** Sum of what the headers that are kept weigh. */
  private headerFrames = 0;
  private readonly decoded = new Map<number, Promise<DecodedFrames | undefined>>();
  private readonly bad = new Map<number, BadFile>();
  private readonly faults = new Set<string>();
  private cacheBytesLeft: number;

  constructor(
    private readonly pool: DecoderPool,
    private readonly entries: readonly CatalogueEntry[],
    private readonly shape: FrameShape,
    cacheBytes: number,
    private readonly onBadFile: ((file: BadFile) => void) | undefined,
    private readonly headerFrameLimit = KEPT_FRAMES,
  ) {
    this.cacheBytesLeft = cacheBytes;
  }

  /** Files found bad so far, in the order of the entries; one that several entries name, once for each reason. */
  get badFiles(): BadFile[] {
    const inOrder = [...this.bad].sort(([a], [b]) => a - b).map(([, file]) => file);
    return [...new Map(inOrder.map((file) => [faultOf(file), file])).values()];
  }

  isBad(entry: number): boolean {
    return this.bad.has(entry);
  }

  /** Whether each file has failed in some clip; in others, it may be whole. */
  allBad(): boolean {
    return this.bad.size === this.entries.length;
  }

  /** What to throw when all are bad. */
  noneLeftError(): NoReadableVideoError {
    const { badFiles } = this;
    const first = badFiles[0] as BadFile;
    return new NoReadableVideoError(
      `None of the ${badFiles.length} videos of the data set can be decoded; the first, ${first.path}: ${first.reason}. ` +
        'Check that the files are whole and that ffmpeg reads them.',
      badFiles,
    );
  }

  /** Puts a file on the list of bad ones and reports it, once. */
  markBad(entry: number, error: VideoDecodeError): void {
    if (this.bad.has(entry)) return;
    const { path } = this.entries[entry] as CatalogueEntry;
    const file = { path, reason: error.reason };
    this.bad.set(entry, file);
    if (this.faults.has(faultOf(file))) return;
    this.faults.add(faultOf(file));
    this.onBadFile?.(file);
  }

  /**
   * Reads the header.
   *
   * @throws VideoDecodeError also when the wanted stretch of time holds no frame
   */
  open(entry: number): Promise<UsableVideo> {
    return this.probe(this.entries[entry] as CatalogueEntry);
  }

  /**
   * The decoded frames of a video if they are kept in memory: the first videos that come up are decoded whole, as
   * long as they fit. Undefined also for one that is damaged somewhere: its clips may still be whole.
   */
  framesInMemory(entry: number, { info, range }: UsableVideo): Promise<DecodedFrames | undefined> {
    const existing = this.decoded.get(entry);
    if (existing !== undefined) return existing;
    const { size, crop } = this.shape;
    const kept = keptFrame(info, cropBox(crop, info.width, info.height, size), size);
    const neededBytes = storedBytes(kept, range.end - range.begin);
    if (neededBytes > this.cacheBytesLeft) return Promise.resolve(undefined);
    this.cacheBytesLeft -= neededBytes;
    const frames = this.decodeWhole(info, range).catch((error: unknown) => {
      this.cacheBytesLeft += neededBytes;
      if (error instanceof VideoDecodeError) return undefined;
      this.decoded.delete(entry);
      throw error;
    });
    this.decoded.set(entry, frames);
    return frames;
  }

  private async decodeWhole(info: VideoInfo, { begin, end }: FrameRange): Promise<DecodedFrames> {
    return { frames: await this.pool.readRange(info, this.shape, begin, end), begin };
  }

  private header({ path, member }: CatalogueEntry): Promise<VideoInfo> {
    let header = this.headers.get(path);
    if (header === undefined) {
      const added: Header = { info: this.pool.probe(path, member), frames: 0 };
      added.info.then(
        ({ frameCount }) => this.weigh(path, added, frameCount),
        (error: unknown) => {
          if (error instanceof VideoDecodeError) this.weigh(path, added, 0);
          // Not the fault of the file: it is looked at anew when it is next wanted.
          else if (this.headers.get(path) === added) this.headers.delete(path);
        },
      );
      header = added;
    } else {
      // To be put behind all others again.
      this.headers.delete(path);
    }
    this.headers.set(path, header);
    return header.info;
  }

  /** Takes a header into account that has been read, and forgets those not used for longest where all are too many. */
  private weigh(path: string, header: Header, frameCount: number): void {
    if (this.headers.get(path) !== header) return;
    header.frames = FRAMES_OF_HEADER + frameCount;
    this.headerFrames += header.frames;
    for (const [oldest, { frames }] of this.headers) {
      if (this.headerFrames <= this.headerFrameLimit || this.headers.size === 1) return;
      this.headers.delete(oldest);
      this.headerFrames -= frames;
    }
  }

  private async probe(entry: CatalogueEntry): Promise<UsableVideo> {
    const { path, timeRange } = entry;
    const info = await this.header(entry);
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

const faultOf = ({ path, reason }: BadFile) => `${path}\n${reason}`;
