import {
  clipOptions,
  cropOption,
  encoderOptions,
  folderOptions,
  option,
  OptionError,
  optionSet,
  requireFittingTraining,
  runningOptions,
  stepOptions,
  type ValuesOfSet,
} from '@tubelet/trainer';
import { type MixOptions, type TrainTransformOptions } from '@tubelet/video';
import { dataOptions, VALIDATION_PARTS } from '../shared/data-source.js';

const splitOptions = {
  fold: option.wholeOrAll('<n>', 'one fold, or all of them one after the other (default: all)').optional(),
  validateOn: option
    .choice(
      '<part>',
      'held-out: a part of the training videos, people kept apart where known; test: the test part, as the published ' +
        'training does; none',
      VALIDATION_PARTS,
    )
    .default('held-out'),
  validationShare: option
    .number('<share>', 'share of the training videos to hold out', {
      ...{ min: 0, max: 1, aboveMin: true, belowMax: true },
    })
    .default(0.1),
  validateEvery: option.whole('<epochs>', 'epochs from one validation to the next').default(1),
  clips: option.whole('<n>', 'clips of a video in validation and test').default(2),
};

const augmentationOptions = {
  randAugmentOperations: option
    .whole('<n>', 'operations of RandAugment on a clip, 0 for none', { min: 0 })
    .default(4),
  randAugmentMagnitude: option
    .number('<m>', 'mean magnitude of these operations, 0 to 10', { min: 0, max: 10 })
    .default(7),
  randAugmentDeviation: option.notNegative('<d>', 'standard deviation of the magnitude').default(0.5),
  cropAreaMin: option
    .number('<share>', 'least area of the random crop; 1 for no crop', { min: 0, max: 1, aboveMin: true })
    .default(0.08),
  flip: option.share('<probability>', 'probability of mirroring a clip').default(0.5),
  erasing: option.share('<probability>', 'probability of erasing a box of a clip').default(0.25),
  mixup: option.notNegative('<alpha>', 'alpha of mixup’s beta distribution, 0 for none').default(0.8),
  cutmix: option.notNegative('<alpha>', 'alpha of CutMix’s beta distribution, 0 for none').default(1),
  mixProbability: option.share('<p>', 'probability of mixing a batch').default(1),
  cutmixProbability: option
    .share('<p>', 'probability of CutMix rather than mixup, where both are on')
    .default(0.5),
  labelSmoothing: option
    .number('<share>', 'share of the target spread over all classes', { min: 0, max: 1, belowMax: true })
    .default(0.1),
};

const learningOptions = {
  batchSize: option
    .whole(
      '<n>',
      'clips on the GPU at once (default: 96, as in the paper; of FERV39k 120, as in the published script)',
    )
    .optional(),
  ...stepOptions({
    epochs: 100,
    lr: 1e-3,
    minLr: 1e-6,
    samples: 'training videos',
    seeded: 'of weights, order, clips and augmentation',
  }),
  layerDecay: option
    .number('<factor>', 'learning rate of a layer over that of the next; 1 for the same rate in all', {
      ...{ min: 0, max: 1, aboveMin: true },
    })
    .default(0.75),
  tokenLayer: option
    .choice(
      '<layer>',
      'representative tokens learn with the last layer, as published, or the first, whose input they are',
      ['last', 'first'],
    )
    .default('last'),
  dropPath: option
    .number('<rate>', 'stochastic depth of the last block', { min: 0, max: 1, belowMax: true })
    .default(0.1),
  clipGradients: option.positive('<norm>', 'greatest norm of the gradient (default: no limit)').optional(),
  ema: option
    .number(
      '<decay>',
      'validate and test a moving average of the weights, e.g. 0.9999 (default: the weights themselves)',
      { min: 0, max: 1, aboveMin: true, belowMax: true },
    )
    .optional(),
  testOf: option
    .choice(
      '<epoch>',
      'the weights to test: those of the last epoch, as published, or of the best validation',
      ['last', 'best'],
    )
    .default('last'),
};

/** The options of `finetune`; defaults are the settings of the published recipes. */
export const trainOptions = optionSet({
  'Run:': folderOptions,
  'Data set:': { ...dataOptions, ...splitOptions },
  'Model:': {
    from: option
      .text(
        '<place>',
        'weights to start from: a checkpoint or run of pre-training or fine-tuning, or a published .pth; the model is ' +
          'theirs unless an option below describes another',
      )
      .optional(),
    otherHead: option
      .choice('<choice>', 'where the head of --from has another class count: renew it, or refuse', [
        'renew',
        'refuse',
      ])
      .default('renew'),
    ...encoderOptions,
    pooling: option
      .choice(
        '<tokens>',
        'tokens whose mean is classified: representative, original, all (default: representative; of a ViT, original)',
        ['representative', 'original', 'all'],
      )
      .optional(),
  },
  'Clips:': {
    ...clipOptions,
    frameStep: option.whole('<n>', 'distance between frames of a clip (default: 4, of FERV39k 1)').optional(),
    crop: cropOption().default('none'),
  },
  'Augmentation:': augmentationOptions,
  'Training:': learningOptions,
  'Running:': runningOptions({
    saveEvery: 'one epoch',
    keep: 1,
    kept: 'checkpoints to keep, besides the best',
  }),
});

/** Options of `finetune`, checked one by one. */
export type TrainOptions = Readonly<ValuesOfSet<typeof trainOptions>>;

/** Options of a run once the data set has filled in what was not given. */
export type RunOptions = TrainOptions & Required<Pick<TrainOptions, 'batchSize' | 'frameStep'>>;

/** Whether batches are mixed at all. */
export function isMixing({ mixup, cutmix, mixProbability }: TrainOptions): boolean {
  return (mixup > 0 || cutmix > 0) && mixProbability > 0;
}

/** @throws OptionError naming the first option that does not fit the others */
export function requireFittingOptions(options: RunOptions): void {
  requireFittingTraining(options);
  const { epochs, batchSize, validateOn, testOf, validateEvery } = options;
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
