/** What a `LabelledClipLoader` can be told. */
import { PhiloxStream } from '@tubelet/kernels';
import { requireInteger } from '../check-options.js';
import type { CropMode } from '../pixels/crop.js';
import type { LabelledVideo } from '../datasets/dataset.js';
import { resolveEpochOptions, type EpochOptions, type Resolved } from '../loader/clip-options.js';
import { drawAugmentation, type TrainTransformOptions } from '../transforms/augmentation.js';
import { drawMix, softTargets, type MixOptions } from '../transforms/mixup.js';
import { Purpose } from '../stream-purposes.js';

export interface LabelledClipLoaderOptions extends EpochOptions {
  /** What to train on; each is one sample of an epoch. */
  videos: readonly LabelledVideo[];
  /** K: labels are 0 … K − 1. */
  classes: number;
  /** Clips of a batch: even, where batches are mixed. */
  batchSize: number;
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
}

export type ResolvedLabelledOptions = Resolved<LabelledClipLoaderOptions>;

/**
 * Fills in defaults.
 *
 * @throws RangeError that names the option and its value
 */
export function resolveLabelledOptions(given: LabelledClipLoaderOptions): ResolvedLabelledOptions {
  const options: ResolvedLabelledOptions = {
    ...resolveEpochOptions(given, 'none'),
    transform: given.transform ?? {},
    mix: given.mix ?? {},
    labelSmoothing: given.labelSmoothing ?? 0.1,
  };
  requireInteger('classes', options.classes, 1);
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
