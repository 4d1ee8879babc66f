/** What a `LabelledClipLoader` can be told. */
import { PhiloxStream } from '@tubelet/kernels';
import { requireInteger } from '../check-options.js';
import type { CropMode } from '../pixels/crop.js';
import type { LabelledVideo } from '../datasets/dataset.js';
import { checkRank } from '../sampling/epoch-samples.js';
import type { BadFile } from '../errors.js';
import type { Ffmpeg } from '../ffmpeg/ffmpeg.js';
import { DEFAULT_CACHE_BYTES } from '../loader/loader-options.js';
import { defaultWorkerCount } from '../loader/pool.js';
import { drawAugmentation, type TrainTransformOptions } from '../transforms/augmentation.js';
import type { DecoderName } from '../webcodecs/find.js';
import { drawMix, softTargets, type MixOptions } from '../transforms/mixup.js';
import { Purpose } from '../stream-purposes.js';

export interface LabelledClipLoaderOptions {
  /** What to train on; each is one sample of an epoch. */
  videos: readonly LabelledVideo[];
  /** K: labels are 0 … K − 1. */
  classes: number;
  /** Clips of a batch: even, where batches are mixed. */
  batchSize: number;
  /** Decides the order of the samples, the clips, their augmentation and the mixing. */
  seed: number;
  /** Edge of the frames in pixels; default 160. */
  size?: number;
  /** Frames of a clip; default 16. */
  frames?: number;
  /** Distance between two frames of a clip, in frames of the video, nearly (see `trainClipFrameIndices`); default 4. */
  step?: number;
  /** Fixed crop of a source; default `none`: the whole frame, squashed to a square, as in the reference. */
  crop?: CropMode;
  /** Augmentation of the clips; the published recipes' by default. */
  transform?: TrainTransformOptions;
  /** Mixup and CutMix; the published recipes' by default, `false` for none. */
  mix?: MixOptions | false;
  /** ε of the soft targets; default 0.1. */
  labelSmoothing?: number;
  /** Which part of each global batch this process loads, counted from 0; default 0. */
  rank?: number;
  /** Processes that load the parts of each global batch; default 1. */
  ranks?: number;
  /** Decoding threads; see `DecoderPoolOptions`. */
  workers?: number;
  /** Batches decoded ahead of the one in use; default 2. */
  prefetchBatches?: number;
  /** Memory for decoded whole videos, so that later epochs decode nothing; default 512 MiB, 0 for none. */
  cacheBytes?: number;
  /** See `DecoderPoolOptions`. */
  decoder?: DecoderName;
  ffmpeg?: Ffmpeg;
  /** See `DecoderPoolOptions`. */
  decodeLimitMs?: number;
  /** Told once of each file that cannot be decoded. */
  onBadFile?: (file: BadFile) => void;
}

export type ResolvedLabelledOptions = Required<
  Omit<LabelledClipLoaderOptions, 'decoder' | 'ffmpeg' | 'decodeLimitMs' | 'onBadFile'>
>;

/**
 * Fills in defaults.
 *
 * @throws RangeError that names the option and its value
 */
export function resolveLabelledOptions(given: LabelledClipLoaderOptions): ResolvedLabelledOptions {
  const options: ResolvedLabelledOptions = {
    videos: given.videos,
    classes: given.classes,
    batchSize: given.batchSize,
    seed: given.seed,
    size: given.size ?? 160,
    frames: given.frames ?? 16,
    step: given.step ?? 4,
    crop: given.crop ?? 'none',
    transform: given.transform ?? {},
    mix: given.mix ?? {},
    labelSmoothing: given.labelSmoothing ?? 0.1,
    rank: given.rank ?? 0,
    ranks: given.ranks ?? 1,
    workers: given.workers ?? defaultWorkerCount(),
    prefetchBatches: given.prefetchBatches ?? 2,
    cacheBytes: given.cacheBytes ?? DEFAULT_CACHE_BYTES,
  };
  for (const name of ['classes', 'batchSize', 'size', 'frames', 'step', 'workers'] as const) {
    requireInteger(name, options[name], 1);
  }
  for (const name of ['seed', 'prefetchBatches', 'cacheBytes'] as const)
    requireInteger(name, options[name], 0);
  checkRank(options);
  checkLabels(options);
  checkTransforms(options);
  return options;
}

function checkLabels({ videos, classes }: ResolvedLabelledOptions): void {
  for (const { id, label } of videos) {
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new RangeError(
        `the label of ${id} is ${label}: with ${classes} classes, labels are 0 to ${classes - 1}. ` +
          'Correct the label or the number of classes.',
      );
    }
  }
}

/** The first clip would find the same faults, but only once it has been asked for. */
function checkTransforms({
  size,
  seed,
  transform,
  mix,
  batchSize,
  classes,
  labelSmoothing,
}: ResolvedLabelledOptions) {
  drawAugmentation(size, { seed, epoch: 0, sample: 0 }, transform);
  softTargets([], classes, labelSmoothing);
  if (mix === false) return;
  drawMix(size, size, new PhiloxStream({ seed, purpose: Purpose.mixup }), mix);
  if (batchSize % 2 !== 0) {
    throw new RangeError(
      `batchSize is ${batchSize}: mixup and CutMix mix the clips of a batch in pairs. Give an even batchSize, or turn ` +
        'mixing off (mix: false).',
    );
  }
}
