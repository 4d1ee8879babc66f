import {
  type EncoderOptions,
  type MemoryOptions,
  OptionError,
  type PrecisionOptions,
  requireFittingMemoryOptions,
} from '@tubelet/trainer';
import type { ClassifierConfig, LayerDecayOptions } from '@tubelet/mae-dfer';
import type { CropMode, MixOptions, TrainTransformOptions } from '@tubelet/video';
import type { DataOptions, ValidationPart } from './data-source.js';

/** A fold by its number, or all of them one after the other. */
export type FoldChoice = number | 'all';

/** Options of `train` as the command line gives them; the names are those of the options. */
export interface TrainOptions extends EncoderOptions, DataOptions, MemoryOptions, PrecisionOptions {
  readonly fold?: FoldChoice;
  readonly validateOn: ValidationPart;
  readonly validationShare: number;
  readonly validateEvery: number;
  readonly from?: string;
  readonly otherHead: 'renew' | 'refuse';
  readonly pooling?: ClassifierConfig['pooling'];
  readonly frameStep?: number;
  readonly crop: CropMode;
  readonly clips: number;
  readonly randAugmentOperations: number;
  readonly randAugmentMagnitude: number;
  readonly randAugmentDeviation: number;
  readonly cropAreaMin: number;
  readonly flip: number;
  readonly erasing: number;
  readonly mixup: number;
  readonly cutmix: number;
  readonly mixProbability: number;
  readonly cutmixProbability: number;
  readonly labelSmoothing: number;
  readonly epochs: number;
  readonly warmupEpochs: number;
  readonly batchSize?: number;
  readonly accumulate: number;
  readonly lr: number;
  readonly minLr: number;
  readonly weightDecay: number;
  readonly layerDecay: number;
  readonly tokenLayer: NonNullable<LayerDecayOptions['representativeTokens']>;
  readonly dropPath: number;
  readonly clipGradients?: number;
  readonly ema?: number;
  readonly seed: number;
  readonly testOf: 'last' | 'best';
  readonly out: string;
  readonly resume?: true;
  readonly stopAfter?: number;
  readonly saveEvery?: number;
  readonly keep: number;
  readonly workers?: number;
  readonly autotune: boolean;
  readonly profile?: true;
  readonly debug?: true;
}

/** Options of a run once the data set has filled in what was not given. */
export type RunOptions = TrainOptions & Required<Pick<TrainOptions, 'batchSize' | 'frameStep'>>;

/** Whether batches are mixed at all. */
export function isMixing({ mixup, cutmix, mixProbability }: TrainOptions): boolean {
  return (mixup > 0 || cutmix > 0) && mixProbability > 0;
}

/** Throws `OptionError` naming the first option that does not fit the others. */
export function requireFittingOptions(options: RunOptions): void {
  requireFittingMemoryOptions(options);
  const { lr, minLr, epochs, warmupEpochs, batchSize, validateOn, testOf, validateEvery } = options;
  if (warmupEpochs > epochs) {
    throw new OptionError('--warmup-epochs', warmupEpochs, `at most the ${epochs} of --epochs`);
  }
  if (minLr > lr) throw new OptionError('--min-lr', minLr, `at most the ${lr} of --lr`);
  if (isMixing(options) && batchSize % 2 !== 0) {
    throw new OptionError(
      '--batch-size',
      batchSize,
      'an even number: clips are mixed in pairs (or turn mixing off with --mixup 0 --cutmix 0)',
    );
  }
  if (validateEvery > epochs) {
    throw new OptionError('--validate-every', validateEvery, `at most the ${epochs} of --epochs`);
  }
  if (testOf === 'best' && validateOn === 'none') {
    throw new OptionError('--test-of', testOf, 'last with --validate-on none, which finds no best epoch');
  }
}

/** What is done to a training clip. */
export function transformOf(options: TrainOptions): TrainTransformOptions {
  const { randAugmentOperations, randAugmentMagnitude, randAugmentDeviation } = options;
  return {
    randAugment: randAugmentOperations > 0 && {
      operations: randAugmentOperations,
      magnitude: randAugmentMagnitude,
      magnitudeDeviation: randAugmentDeviation,
    },
    crop: options.cropAreaMin < 1 && { area: [options.cropAreaMin, 1] },
    flipProbability: options.flip,
    erasing: options.erasing > 0 && { probability: options.erasing },
  };
}

/** How a batch is mixed; false where it is not. */
export function mixOf(options: TrainOptions): MixOptions | false {
  if (!isMixing(options)) return false;
  const { mixup, cutmix, mixProbability, cutmixProbability } = options;
  return { mixupAlpha: mixup, cutmixAlpha: cutmix, probability: mixProbability, cutmixProbability };
}
