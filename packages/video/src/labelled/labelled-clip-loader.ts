/** Batches of labelled clips for training, and how they are to be augmented and mixed. */
import { PhiloxStream } from '@tubelet/kernels';
import { Catalogue } from '../loader/catalogue.js';
import type { LabelledVideo } from '../datasets/dataset.js';
import { EpochSamples } from '../sampling/epoch-samples.js';
import { NoReadableVideoError } from '../errors.js';
import {
  EpochLoader,
  type BatchPlace,
  type EpochLoaderParts,
  type EpochSample,
} from '../loader/epoch-loader.js';
import type { CodedFrames } from '../pixels/coded-frames.js';
import { DecoderPool } from '../loader/pool.js';
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
export interface LabelledClipBatch extends BatchPlace {
  /** [B]: the frames of each clip. */
  clips: CodedFrames[];
  /** [B]: what becomes of each clip. */
  augmentations: Augmentation[];
  mix: Mix;
  /** [B, K], soft: smoothed and mixed as the clips are. */
  targets: Float32Array<ArrayBuffer>;
  /** [B]: the class of each clip before mixing; where another video stands in, that one's. */
  labels: Uint32Array<ArrayBuffer>;
  /** [B]: the id of the video that each clip is of. */
  names: string[];
  /** [B][T]: the frames of each clip in its video. */
  frameIndices: number[][];
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
export class LabelledClipLoader extends EpochLoader<TrainClip, LabelledClipBatch> {
  private constructor(
    private readonly options: ResolvedLabelledOptions,
    parts: EpochLoaderParts,
  ) {
    super(parts);
  }

  /**
   * Starts the threads; no file is looked at yet.
   *
   * @throws RangeError for an option or a label out of range, an odd batch that is to be mixed, or fewer videos than
   *   a batch takes; NoReadableVideoError for an empty list; FfmpegNotFoundError.
   */
  static async open(given: LabelledClipLoaderOptions): Promise<LabelledClipLoader> {
    const options = resolveLabelledOptions(given);
    const { videos, size, crop, cacheBytes, batchSize, ranks, prefetchBatches } = options;
    if (videos.length === 0) throw new NoReadableVideoError('The data set is empty: it lists no videos.');
    const epochs = new EpochSamples({ ...options, sampleCount: videos.length, dropLast: true });
    if (epochs.stepsPerEpoch === 0) {
      throw new RangeError(
        `A batch takes ${batchSize * ranks} clips and there are ${videos.length} videos: lower batchSize.`,
      );
    }
    const pool = await DecoderPool.open(options);
    const catalogue = new Catalogue(pool, videos, { size, crop }, cacheBytes, options.onBadFile);
    return new LabelledClipLoader(options, { pool, catalogue, epochs, prefetchBatches });
  }

  protected override entryOf(sample: number): number {
    return sample;
  }

  protected override batchOf(clips: readonly TrainClip[], place: BatchPlace): LabelledClipBatch {
    const { size, seed, mix: mixOptions, classes, labelSmoothing } = this.options;
    const labels = Uint32Array.from(clips, ({ video }) => video.label);
    const { epoch, step } = place;
    const sample = this.parts.epochs.batchNumber(step);
    const random = new PhiloxStream({ seed, purpose: Purpose.mixup, epoch, sample });
    const mix = mixOptions === false ? NO_MIX : drawMix(size, size, random, mixOptions);
    return {
      clips: clips.map((clip) => clip.frames),
      augmentations: clips.map(({ augmentation }) => augmentation),
      mix,
      targets: softTargets(labels, classes, labelSmoothing, mix) as Float32Array<ArrayBuffer>,
      labels,
      names: clips.map(({ video }) => video.id),
      frameIndices: clips.map(({ indices }) => indices),
      ...place,
    };
  }

  protected override async loadClip(entry: number, { epoch, sample }: EpochSample): Promise<TrainClip> {
    const { pool, catalogue } = this.parts;
    const { videos, seed, size, crop, frames, step, transform } = this.options;
    const usable = await catalogue.open(entry);
    const { info } = usable;
    const decoded = await catalogue.framesInMemory(entry, usable);
    const starts = new PhiloxStream({ seed, purpose: Purpose.clipStart, epoch, sample });
    const indices = drawTrainClipFrameIndices(info.frameCount, starts, { frames, step });
    return {
      frames: await pool.readClip(info, indices, { size, crop }, decoded),
      augmentation: drawAugmentation(size, { seed, epoch, sample }, transform),
      video: videos[entry]!,
      indices,
    };
  }
}
