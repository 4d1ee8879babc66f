/** Batches of clips for pre-training. */
import { PhiloxStream } from '@tubelet/kernels';
import { Catalogue, type UsableVideo } from './catalogue.js';
import { drawMultiScaleCrop } from '../pixels/crop.js';
import { EpochSamples } from '../sampling/epoch-samples.js';
import { NoReadableVideoError, VideoDecodeError } from '../errors.js';
import { EpochLoader, type BatchPlace, type EpochLoaderParts, type EpochSample } from './epoch-loader.js';
import { cutSegments, type FrameRange } from '../decode/frame-range.js';
import { resolveOptions, type ClipLoaderOptions, type ResolvedOptions } from './loader-options.js';
import { DecoderPool } from './pool.js';
import type { CodedFrames } from '../pixels/coded-frames.js';
import { prefetch } from './prefetch.js';
import type { Box } from '../pixels/resize.js';
import { clipFrameIndices, clipStartCount } from '../sampling/sampling.js';
import type { ShardReading } from '../shards/shard-order.js';
import type { VideoEntry } from '../sources/video-entry.js';
import { Purpose } from '../stream-purposes.js';

/** A batch of clips. */
export interface ClipBatch extends BatchPlace {
  /** [B]: the frames of each clip, for `ClipPixels.frames`. */
  clips: CodedFrames[];
  /** [B]: which part of its frames each clip shows, resized to the whole; undefined for the whole. */
  boxes: (Box | undefined)[];
  /** The file or folder of each clip. */
  names: string[];
  /** The label of each clip's video, where the list had one. */
  labels: (string | undefined)[];
  /** The frames of each clip in its video. */
  frameIndices: number[][];
}

/** What can be drawn: a video, or a segment of one. */
interface Sample {
  entry: number;
  segment?: FrameRange;
}

interface Clip {
  frames: CodedFrames;
  box: Box | undefined;
  entry: number;
  indices: number[];
}

/**
 * Loads batches of clips.
 *
 * Everything random is drawn from Philox streams: the order of an epoch from (seed, shuffle, epoch), or
 * from (seed, shardShuffle, epoch) where all entries lie in shards; the first frame,
 * the crop and the stand-in for a bad file from (seed, purpose, epoch, sample). So a batch depends on nothing but the
 * options, the epoch and the step: not on threads, timing, the cache, or what was loaded before.
 *
 * A file that cannot be decoded is reported through `onBadFile`, listed in `badFiles`, and another sample stands in.
 */
export class ClipLoader extends EpochLoader<Clip, ClipBatch> {
  private constructor(
    private readonly options: ResolvedOptions,
    private readonly samples: readonly Sample[],
    parts: EpochLoaderParts,
  ) {
    super(parts);
  }

  /**
   * Starts the threads. With `segmentSeconds`, all headers are read here, since the lengths of the videos decide how
   * many samples there are.
   *
   * @throws RangeError for an option out of range, or fewer samples than a batch takes; NoReadableVideoError when
   *   there are no entries or none can be read; FfmpegNotFoundError.
   */
  static async open(given: ClipLoaderOptions): Promise<ClipLoader> {
    const options = resolveOptions(given);
    const { entries, size, crop, cacheBytes, onBadFile } = options;
    if (entries.length === 0) throw new NoReadableVideoError('The data set is empty: it lists no videos.');
    const pool = await DecoderPool.open(options);
    try {
      const catalogue = new Catalogue(pool, entries, { size, crop }, cacheBytes, onBadFile);
      const videos =
        options.segmentSeconds === undefined
          ? entries.map((_, entry): Sample => ({ entry }))
          : await findSegments(catalogue, entries, options.segmentSeconds);
      const samples = videos.flatMap((video) => new Array<Sample>(options.clipsPerVideo).fill(video));
      const shards = shardReading(samples, options);
      const epochs = new EpochSamples({ ...options, sampleCount: samples.length, shards });
      const { prefetchBatches } = options;
      const loader = new ClipLoader(options, samples, { pool, catalogue, epochs, prefetchBatches });
      if (loader.stepsPerEpoch === 0) {
        throw new RangeError(
          `A batch takes ${options.batchSize * options.ranks} clips and the data set gives ${samples.length} ` +
            'in an epoch: lower batchSize, or raise clipsPerVideo.',
        );
      }
      return loader;
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  protected override entryOf(sample: number): number {
    return (this.samples[sample] as Sample).entry;
  }

  protected override batchOf(clips: readonly Clip[], place: BatchPlace): ClipBatch {
    const entries = clips.map((clip) => this.options.entries[clip.entry] as VideoEntry);
    return {
      clips: clips.map((clip) => clip.frames),
      boxes: clips.map(({ box }) => box),
      names: entries.map(({ path }) => path),
      labels: entries.map(({ label }) => label),
      frameIndices: clips.map(({ indices }) => indices),
      ...place,
    };
  }

  protected override async loadClip(candidate: number, { epoch, sample }: EpochSample): Promise<Clip> {
    const { entry, segment } = this.samples[candidate] as Sample;
    const { pool, catalogue } = this.parts;
    const { seed, size, crop, frames, step, augmentation } = this.options;
    const video: UsableVideo = await catalogue.open(entry);
    const decoded = await catalogue.framesInMemory(entry, video);
    const { begin, end } = segment ?? video.range;
    const starts = new PhiloxStream({ seed, purpose: Purpose.clipStart, epoch, sample });
    const start = starts.integer(clipStartCount(end - begin, { frames, step }));
    const indices = clipFrameIndices(end - begin, start, { frames, step }).map((index) => begin + index);
    const box =
      augmentation === 'multiScaleCrop'
        ? drawMultiScaleCrop(size, new PhiloxStream({ seed, purpose: Purpose.crop, epoch, sample }))
        : undefined;
    return {
      frames: await pool.readClip(video.info, indices, { size, crop }, decoded),
      box,
      entry,
      indices,
    };
  }
}

/** How the samples are to be read where all of them lie in shards; undefined otherwise. */
function shardReading(
  samples: readonly Sample[],
  { entries, clipsPerStep, shuffleBuffer }: ResolvedOptions,
): ShardReading | undefined {
  const shardSamples: number[] = [];
  let last: string | undefined;
  for (const { entry } of samples) {
    const shard = (entries[entry] as VideoEntry).member?.shard;
    if (shard === undefined) return undefined;
    if (shard !== last) shardSamples.push(0);
    last = shard;
    shardSamples[shardSamples.length - 1] = (shardSamples.at(-1) as number) + 1;
  }
  return { shardSamples, clipsPerStep, bufferSize: shuffleBuffer };
}

/** Headers that are read together. */
const PROBES_AHEAD = 256;

/** The segments of all videos that can be read, in order. */
async function findSegments(
  catalogue: Catalogue,
  entries: readonly VideoEntry[],
  segmentSeconds: number,
): Promise<Sample[]> {
  const cut = async (entry: number): Promise<Sample[]> => {
    try {
      const { info, range } = await catalogue.open(entry);
      const segmentFrames = Math.max(1, Math.round(segmentSeconds * info.framesPerSecond));
      return cutSegments(range, segmentFrames).map((segment) => ({ entry, segment }));
    } catch (error) {
      if (!(error instanceof VideoDecodeError)) throw error;
      catalogue.markBad(entry, error);
      return [];
    }
  };
  const samples: Sample[] = [];
  for await (const ofEntry of prefetch(cut, { end: entries.length, ahead: PROBES_AHEAD })) {
    for (const sample of ofEntry) samples.push(sample);
  }
  if (catalogue.allBad()) throw catalogue.noneLeftError();
  return samples;
}
