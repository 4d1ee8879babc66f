/** Batches of labelled clips for training, decoded ahead of their use, and how they are to be augmented and mixed. */
import { PhiloxStream } from '@tubelet/kernels';
import { Catalogue } from '../loader/catalogue.js';
import type { LabelledVideo } from '../datasets/dataset.js';
import { EpochSamples } from '../sampling/epoch-samples.js';
import { NoReadableVideoError, type BadFile } from '../errors.js';
import type { CodedFrames } from '../pixels/coded-frames.js';
import { DecoderPool } from '../loader/pool.js';
import { prefetch } from '../loader/prefetch.js';
import { drawAugmentation, type Augmentation } from '../transforms/augmentation.js';
import { drawTrainClipFrameIndices } from '../transforms/frame-indices.js';
import { drawMix, NO_MIX, softTargets, type Mix } from '../transforms/mixup.js';
import {
  resolveLabelledOptions,
  type LabelledClipLoaderOptions,
  type ResolvedLabelledOptions,
} from './labelled-loader-options.js';
import { Purpose } from '../stream-purposes.js';

/** A batch of labelled clips, for `TrainingPixels.video`. */
export interface LabelledClipBatch {
  /** [B]: the frames of each clip. */
  clips: CodedFrames[];
  /** [B]: what becomes of each clip. */
  augmentations: Augmentation[];
  mix: Mix;
  /** [B, K], soft: smoothed and mixed as the clips are. */
  targets: Float32Array<ArrayBuffer>;
  /** [B]: the class of each clip before mixing; where another video stands in, that one's. */
  labels: Uint32Array<ArrayBuffer>;
  /** [B]: the sample of each clip, 0 … sampleCount − 1; the sample that was due, also where another stands in. */
  sampleIndices: Uint32Array<ArrayBuffer>;
  /** [B]: the id of the video that each clip is of. */
  names: string[];
  /** [B][T]: the frames of each clip in its video. */
  frameIndices: number[][];
  epoch: number;
  step: number;
}

interface TrainClip {
  frames: CodedFrames;
  augmentation: Augmentation;
  video: LabelledVideo;
  indices: number[];
}

/**
 * Loads batches of labelled clips.
 *
 * Everything random is drawn from Philox streams: the order of an epoch from (seed, shuffle, epoch); the first frame,
 * the augmentation and the stand-in for a bad file from (seed, purpose, epoch, sample); the mixing from (seed, mixup,
 * epoch, step), where steps are counted over all ranks: n ranks mix as n steps of one process do. So a
 * batch depends on nothing but the options, the epoch and the step: not on threads, timing, the cache, or what was
 * loaded before. Batches are always full; samples left over at the end of an epoch are not shown in it.
 *
 * A file that cannot be decoded is reported through `onBadFile`, listed in `badFiles`, and another sample stands in,
 * with its own label.
 */
export class LabelledClipLoader {
  private constructor(
    private readonly options: ResolvedLabelledOptions,
    private readonly pool: DecoderPool,
    private readonly catalogue: Catalogue,
    private readonly epochs: EpochSamples,
  ) {}

  /**
   * Starts the threads; no file is looked at yet.
   *
   * @throws RangeError for an option or a label out of range, an odd batch that is to be mixed, or fewer videos than
   *   a batch takes; NoReadableVideoError for an empty list; FfmpegNotFoundError.
   */
  static async open(given: LabelledClipLoaderOptions): Promise<LabelledClipLoader> {
    const options = resolveLabelledOptions(given);
    const { videos, size, crop, cacheBytes, batchSize, ranks } = options;
    if (videos.length === 0) throw new NoReadableVideoError('The data set is empty: it lists no videos.');
    const epochs = new EpochSamples({ ...options, sampleCount: videos.length, dropLast: true });
    if (epochs.stepsPerEpoch === 0) {
      throw new RangeError(
        `A batch takes ${batchSize * ranks} clips and there are ${videos.length} videos: lower batchSize.`,
      );
    }
    const { decoder, ffmpeg, decodeLimitMs } = given;
    const pool = await DecoderPool.open({ workers: options.workers, decoder, ffmpeg, decodeLimitMs });
    const catalogue = new Catalogue(pool, videos, { size, crop }, cacheBytes, given.onBadFile);
    return new LabelledClipLoader(options, pool, catalogue, epochs);
  }

  /** Videos of the data set, over all ranks. */
  get sampleCount(): number {
    return this.options.videos.length;
  }

  /** Batches of an epoch. */
  get stepsPerEpoch(): number {
    return this.epochs.stepsPerEpoch;
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
   * The batches of an epoch from `startStep` on, in order; the next ones are made while one is in use.
   *
   * @throws NoReadableVideoError as soon as no file is left.
   */
  async *epoch(
    epoch: number,
    { startStep = 0 }: { startStep?: number } = {},
  ): AsyncGenerator<LabelledClipBatch, void> {
    const order = this.epochs.order(epoch);
    yield* prefetch((step) => this.loadBatch(order, epoch, step), {
      first: startStep,
      end: this.stepsPerEpoch,
      ahead: this.options.prefetchBatches,
    });
  }

  /** Ends the threads. Batches under way are rejected with a DecoderClosedError. */
  close(): Promise<void> {
    return this.pool.close();
  }

  private async loadBatch(order: Uint32Array, epoch: number, step: number): Promise<LabelledClipBatch> {
    const { size, seed, mix: mixOptions, classes, labelSmoothing } = this.options;
    const sampleIndices = this.epochs.ofStep(order, step);
    const clips = await Promise.all(Array.from(sampleIndices, (sample) => this.loadSample(epoch, sample)));
    const labels = Uint32Array.from(clips, ({ video }) => video.label);
    const random = new PhiloxStream({
      seed,
      purpose: Purpose.mixup,
      epoch,
      sample: this.epochs.batchNumber(step),
    });
    const mix = mixOptions === false ? NO_MIX : drawMix(size, size, random, mixOptions);
    return {
      clips: clips.map((clip) => clip.frames),
      augmentations: clips.map(({ augmentation }) => augmentation),
      mix,
      targets: softTargets(labels, classes, labelSmoothing, mix) as Float32Array<ArrayBuffer>,
      labels,
      sampleIndices,
      names: clips.map(({ video }) => video.id),
      frameIndices: clips.map(({ indices }) => indices),
      epoch,
      step,
    };
  }

  private loadSample(epoch: number, sample: number): Promise<TrainClip> {
    const load = (candidate: number) => this.loadClip(candidate, epoch, sample);
    return this.epochs.load(this.catalogue, { epoch, sample }, (candidate) => candidate, load);
  }

  private async loadClip(entry: number, epoch: number, sample: number): Promise<TrainClip> {
    const { videos, seed, size, crop, frames, step, transform } = this.options;
    const usable = await this.catalogue.open(entry);
    const { info } = usable;
    const decoded = await this.catalogue.framesInMemory(entry, usable);
    const starts = new PhiloxStream({ seed, purpose: Purpose.clipStart, epoch, sample });
    const indices = drawTrainClipFrameIndices(info.frameCount, starts, { frames, step });
    return {
      frames: await this.pool.readClip(info, indices, { size, crop }, decoded),
      augmentation: drawAugmentation(size, { seed, epoch, sample }, transform),
      video: videos[entry]!,
      indices,
    };
  }
}
