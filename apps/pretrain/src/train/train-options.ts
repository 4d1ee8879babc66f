import { windowMaskCounts } from '@tubelet/kernels';
import {
  maskDesign,
  paperDecoder,
  validateDecoder,
  validateEncoder,
  type EncoderConfig,
  type PretrainingConfig,
} from '@tubelet/mae-dfer';
import {
  clipOptions,
  cropOption,
  encoderConfig,
  encoderOptions,
  folderOptions,
  option,
  OptionError,
  optionSet,
  requireFittingTraining,
  requireFittingWidth,
  runningOptions,
  stepOptions,
  withoutEffect,
  type JsonValue,
  type ValuesOfSet,
} from '@tubelet/trainer';

import { CROP_NOTE, rootOption } from '../shared/sources.js';

/** The options of `pretrain`; defaults are the paper's settings. */
export const trainOptions = optionSet({
  'Run:': folderOptions,
  'Model:': {
    from: option
      .text(
        '<place>',
        'weights to start from: a checkpoint or run of pre-training, or a published .pth of MAE-DFER or VideoMAE; the ' +
          'model is the one that the options below describe',
      )
      .optional(),
    ...encoderOptions,
    decoderDim: option.whole('<n>', 'width of the decoder').default(384),
    decoderDepth: option.whole('<n>', 'blocks of the decoder').default(4),
    decoderHeads: option.whole('<n>', 'heads of the decoder').default(6),
    decoderPositions: option
      .choice(
        '<kind>',
        'token: every visible token keeps its position; reference: the order of the published checkpoints',
        ['token', 'reference'],
      )
      .default('token'),
  },
  'Clips:': {
    ...rootOption,
    ...clipOptions,
    frameStep: option.whole('<n>', 'distance between frames of a clip').default(4),
    crop: cropOption(CROP_NOTE).default('centre'),
    augmentation: option
      .choice('<kind>', 'multiScaleCrop or none', ['multiScaleCrop', 'none'])
      .default('multiScaleCrop'),
    segmentSeconds: option.positive('<s>', 'cut long videos into samples of this length').optional(),
    clipsPerVideo: option.whole('<n>', 'samples of each video or segment in an epoch').default(1),
    startSeconds: option.notNegative('<s>', 'use videos from this time on').optional(),
    endSeconds: option.positive('<s>', 'use videos up to this time').optional(),
  },
  'Training:': {
    maskRatio: option
      .number('<share>', 'share of masked positions in a window', {
        ...{ min: 0, max: 1, aboveMin: true, belowMax: true },
      })
      .default(0.9),
    target: option
      .choice(
        '<kind>',
        'difference: the first frame of each cube (appearance) and what the second differs by (motion); pixels: both' +
          ' frames, as VideoMAE has it',
        ['difference', 'pixels'],
      )
      .default('difference'),
    lossWeight: option.share('<λ>', 'λ · appearance + (1 − λ) · motion').default(0.5),
    batchSize: option.whole('<n>', 'clips on the GPU at once').default(128),
    ...stepOptions({
      epochs: 50,
      lr: 3e-4,
      minLr: 1e-5,
      samples: 'samples',
      seeded: 'of weights, order, crops and masks',
    }),
  },
  'Watching:': withoutEffect({
    watch: option
      .text('<video>', 'a video that is not trained on: TensorBoard shows how it is reconstructed')
      .optional(),
    watchEvery: option.whole('<epochs>', 'epochs from one picture to the next').default(10),
  }),
  'Running:': runningOptions({
    saveEvery: '10 epochs',
    keep: 3,
    kept: 'checkpoints to keep',
  }),
});

/** Options of `pretrain`, checked one by one. */
export type TrainOptions = Readonly<ValuesOfSet<typeof trainOptions>>;

/**
 * Checks the options against each other.
 *
 * @throws OptionError naming the first that does not fit
 */
export function requireFittingOptions(options: TrainOptions): void {
  requireFittingTraining(options);
  const { startSeconds = 0, endSeconds } = options;
  if (options.target === 'pixels' && options.lossWeight !== 0.5) {
    throw new OptionError(
      '--loss-weight',
      options.lossWeight,
      'none with --target pixels, which has no appearance and motion to weigh',
    );
  }
  if (endSeconds !== undefined && endSeconds <= startSeconds) {
    throw new OptionError('--end-seconds', endSeconds, `a time after the ${startSeconds} of --start-seconds`);
  }
}

/**
 * The model that the options describe.
 *
 * @param given the options that were given rather than left at their defaults
 * @throws OptionError naming the first that does not fit the others
 */
export function modelConfig(options: TrainOptions, given?: ReadonlySet<string>): PretrainingConfig {
  const { decoderPositions, target } = options;
  const encoder = encoderConfig(options, given);
  const decoder = {
    ...paperDecoder,
    dim: options.decoderDim,
    depth: options.decoderDepth,
    heads: options.decoderHeads,
  };
  requireFittingWidth('decoder-', decoder);
  requireFittingMask(encoder, options.maskRatio);
  validateEncoder(encoder);
  validateDecoder(decoder);
  return { encoder, decoder, decoderPositions, target };
}

function requireFittingMask(encoder: EncoderConfig, maskRatio: number): void {
  const { maskedCount, region } = windowMaskCounts(maskDesign(encoder, maskRatio));
  if (maskedCount > 0) return;
  const positions = region[1] * region[2];
  throw new OptionError(
    '--mask-ratio',
    maskRatio,
    `a share that masks one of ${positions} positions or more`,
  );
}

/**
 * The settings that decide the result of a run, with the values in use: a resumed run must have the same.
 *
 * @param videos names the videos in use
 */
export function bindingSettings(
  options: TrainOptions,
  { encoder }: PretrainingConfig,
  videos: string,
): Record<string, JsonValue> {
  const { dim, depth, heads } = encoder;
  // Runs that were begun before there was a choice have saved none.
  const target = options.target === 'difference' ? null : options.target;
  return { videos, ...trainOptions.decisive(options), target, dim, depth, heads };
}
