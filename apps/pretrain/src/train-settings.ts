import {
  maskDesign,
  paperDecoder,
  validateDecoder,
  validateEncoder,
  type EncoderConfig,
  type PretrainingConfig,
} from '@tubelet/mae-dfer';
import { windowMaskCounts } from '@tubelet/kernels';
import type { Command } from 'commander';
import type { CropMode } from '@tubelet/video';
import {
  decisiveSettings,
  encoderConfig,
  type EncoderOptions,
  type JsonValue,
  type MemoryOptions,
  OptionError,
  type PrecisionOptions,
  requireFittingMemoryOptions,
  requireFittingWidth,
} from '@tubelet/trainer';

/** Options of `train` as the command line gives them; the names are those of the options. */
export interface TrainOptions extends EncoderOptions, MemoryOptions, PrecisionOptions {
  readonly decoderDim: number;
  readonly decoderDepth: number;
  readonly decoderHeads: number;
  readonly decoderPositions: PretrainingConfig['decoderPositions'];
  readonly frameStep: number;
  readonly crop: CropMode;
  readonly augmentation: 'multiScaleCrop' | 'none';
  readonly segmentSeconds?: number;
  readonly clipsPerVideo: number;
  readonly startSeconds?: number;
  readonly endSeconds?: number;
  readonly maskRatio: number;
  readonly lossWeight: number;
  readonly epochs: number;
  readonly warmupEpochs: number;
  readonly batchSize: number;
  readonly accumulate: number;
  readonly lr: number;
  readonly minLr: number;
  readonly weightDecay: number;
  readonly seed: number;
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

/**
 * Checks the options against each other. Throws `OptionError` naming the first that does not fit, as the user
 * wrote it; that each lies in its own range has been checked where it was read.
 */
export function requireFittingOptions(options: TrainOptions): void {
  requireFittingMemoryOptions(options);
  const { lr, minLr, epochs, warmupEpochs, startSeconds = 0, endSeconds } = options;
  if (warmupEpochs > epochs) {
    throw new OptionError('--warmup-epochs', warmupEpochs, `at most the ${epochs} of --epochs`);
  }
  if (minLr > lr) throw new OptionError('--min-lr', minLr, `at most the ${lr} of --lr`);
  if (endSeconds !== undefined && endSeconds <= startSeconds) {
    throw new OptionError('--end-seconds', endSeconds, `a time after the ${startSeconds} of --start-seconds`);
  }
}

/** The model that the options describe. Throws `OptionError` naming the first that does not fit the others. */
export function modelConfig(options: TrainOptions, command?: Command): PretrainingConfig {
  const { decoderPositions } = options;
  const encoder = encoderConfig(options, command);
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
  return { encoder, decoder, decoderPositions };
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

// Left out of the command line, these are absent from the options too: a run remembers them as null.
const WITHOUT_DEFAULT: readonly (keyof TrainOptions)[] = ['segmentSeconds', 'startSeconds', 'endSeconds'];

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
  return { videos, ...decisiveSettings(options, WITHOUT_DEFAULT), dim, depth, heads };
}
