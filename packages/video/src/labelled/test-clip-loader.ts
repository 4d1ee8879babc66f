/** The clips that videos are tested with, in order, decoded ahead of their use. */
import { Catalogue } from '../loader/catalogue.js';
import { requireInteger } from '../check-options.js';
import type { CropMode } from '../pixels/crop.js';
import { NoReadableVideoError, VideoDecodeError, type BadFile } from '../errors.js';
import { resolveClipOptions, type ClipOptions, type Resolved } from '../loader/clip-options.js';
import type { CodedFrames } from '../pixels/coded-frames.js';
import { DecoderPool } from '../loader/pool.js';
import { prefetch } from '../loader/prefetch.js';
import type { VideoEntry } from '../sources/video-entry.js';
import { testClipFrameIndices } from '../transforms/frame-indices.js';

/** A video file, one in a shard, a folder of frames or an image, whole or a stretch of it. */
export interface TestVideo extends Readonly<Pick<VideoEntry, 'path' | 'timeRange' | 'member'>> {
  /** In place of the `step` of the loader. */
  readonly step?: number;
}

export interface TestClipLoaderOptions extends ClipOptions {
  /** A file may be named many times. */
  videos: readonly TestVideo[];
  /** Clips of each video; default 2, as in the paper. See `testClipFrameIndices`. */
  clips?: number;
  /** Fixed crop of a source; default `none`: the whole frame, squashed to a square, as in the reference. */
  crop?: CropMode;
}

/** A batch of clips for testing. */
export interface TestClipBatch {
  /** [B]: the frames of each clip, for `ClipPixels.frames`. */
  clips: CodedFrames[];
  /** [B]: the place of each clip's video in the list. */
  videoIndices: Uint32Array<ArrayBuffer>;
  /** [B]: which of its video's clips each is, 0 … clips − 1. */
  clipIndices: Uint32Array<ArrayBuffer>;
  /** [B][T]: the frames of each clip in its video, counted from the video's first frame. */
  frameIndices: number[][];
}

type ResolvedOptions = Resolved<TestClipLoaderOptions>;

interface TestClip {
  frames: CodedFrames;
  video: number;
  clip: number;
  indices: number[];
}

function resolveOptions(given: TestClipLoaderOptions): ResolvedOptions {
  const options: ResolvedOptions = { ...resolveClipOptions(given, 'none'), clips: given.clips ?? 2 };
  requireInteger('clips', options.clips, 1);
  for (const { path, step = 1 } of options.videos) requireInteger(`step of ${path}`, step, 1);
  return options;
}

/**
 * Loads the clips of videos for testing, validation and prediction: no random numbers, no augmentation.
 *
 * ```ts
 * const loader = await TestClipLoader.open({ videos: [{ path: 'face.mp4' }], batchSize: 8 });
 * for await (const { clips, videoIndices, clipIndices } of loader.batches()) …
 * await loader.close();
 * ```
 */
export class TestClipLoader {
  private constructor(
    private readonly options: ResolvedOptions,
    private readonly pool: DecoderPool,
    private readonly catalogue: Catalogue,
  ) {}

  /**
   * Starts the threads; no file is looked at yet.
   *
   * @throws RangeError for an option out of range; NoReadableVideoError for an empty list; FfmpegNotFoundError.
   */
  static async open(given: TestClipLoaderOptions): Promise<TestClipLoader> {
    const options = resolveOptions(given);
    const { videos, size, crop, onBadFile } = options;
    if (videos.length === 0)
      throw new NoReadableVideoError('There are no videos to test with: the list is empty.');
    const pool = await DecoderPool.open(options);
    return new TestClipLoader(options, pool, new Catalogue(pool, videos, { size, crop }, 0, onBadFile));
  }

  /** Videos of the list, bad ones included. */
  get videoCount(): number {
    return this.options.videos.length;
  }

  /** Files found bad so far, with the reason of each. */
  get badFiles(): BadFile[] {
    return this.catalogue.badFiles;
  }

  /** What decodes, in a line. */
  get decoder(): string {
    return this.pool.description;
  }

  /** The ffmpeg in use. */
  get ffmpeg() {
    return this.pool.ffmpeg;
  }

  /**
   * The clips of all videos, video by video; the next ones are decoded while a batch is in use. The last batch may be
   * smaller. A video that cannot be decoded is reported through `onBadFile` and listed in `badFiles`; none of its
   * clips appear.
   *
   * @throws NoReadableVideoError when none of the videos can be decoded.
   */
  async *batches(): AsyncGenerator<TestClipBatch, void> {
    const { batchSize, clips, prefetchBatches, workers } = this.options;
    const ahead = Math.ceil((prefetchBatches * batchSize) / clips) + workers - 1;
    let batch: TestClip[] = [];
    for await (const ofVideo of prefetch((video) => this.loadVideo(video), { end: this.videoCount, ahead })) {
      for (const clip of ofVideo) {
        batch.push(clip);
        if (batch.length < batchSize) continue;
        yield this.assemble(batch);
        batch = [];
      }
    }
    if (batch.length > 0) yield this.assemble(batch);
    if (this.catalogue.allBad()) throw this.catalogue.noneLeftError();
  }

  /** Ends the threads. Batches under way are rejected with a DecoderClosedError. */
  close(): Promise<void> {
    return this.pool.close();
  }

  private assemble(clips: readonly TestClip[]): TestClipBatch {
    return {
      clips: clips.map(({ frames }) => frames),
      videoIndices: Uint32Array.from(clips, ({ video }) => video),
      clipIndices: Uint32Array.from(clips, ({ clip }) => clip),
      frameIndices: clips.map(({ indices }) => indices),
    };
  }

  /** The clips of a video; none if it is bad. */
  private async loadVideo(video: number): Promise<TestClip[]> {
    if (this.catalogue.isBad(video)) return [];
    try {
      return await this.decodeVideo(video);
    } catch (error) {
      if (!(error instanceof VideoDecodeError)) throw error;
      this.catalogue.markBad(video, error);
      return [];
    }
  }

  private async decodeVideo(video: number): Promise<TestClip[]> {
    const { clips, size, crop, frames, videos } = this.options;
    const { step = this.options.step } = videos[video]!;
    const { info, range } = await this.catalogue.open(video);
    const perClip = testClipFrameIndices(range.end - range.begin, clips, { frames, step }).map((indices) =>
      indices.map((index) => range.begin + index),
    );
    const read = (indices: number[]) => this.pool.readClip(info, indices, { size, crop });
    const wanted = [...new Set(perClip.flat())].sort((a, b) => a - b);
    const overlapping = wanted.length < perClip.reduce((sum, indices) => sum + new Set(indices).size, 0);
    if (!overlapping) {
      const pixels = await Promise.all(perClip.map(read));
      return perClip.map((indices, clip) => ({ frames: pixels[clip]!, video, clip, indices }));
    }
    // Frames that several clips show are decoded once.
    const { bytes, frames: all } = await read(wanted);
    const places = new Map(wanted.map((index, place) => [index, place]));
    return perClip.map((indices, clip) => {
      const ofClip = { bytes, frames: indices.map((index) => all[places.get(index)!]!) };
      return { frames: ofClip, video, clip, indices };
    });
  }
}
