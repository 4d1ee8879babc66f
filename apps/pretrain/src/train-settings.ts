import {
  lgiFormer,
  maskDesign,
  paperDecoder,
  tokenGrid,
  validateDecoder,
  validateEncoder,
  vitBase,
  type EncoderConfig,
  type PretrainingConfig,
} from '@tubelet/mae-dfer';
import { windowMaskCounts } from '@tubelet/kernels';
import type { CropMode } from '@tubelet/video';
import { OptionError, type JsonValue } from '@tubelet/trainer';

export const MODELS = ['tiny', 'small', 'base', 'vit-base'] as const;
export const ABLATIONS = ['none', 'local-only', 'no-inter-region', 'no-local-global'] as const;

/** Options of `train` as the command line gives them; the names are those of the options. */
export interface TrainOptions {
  readonly model: (typeof MODELS)[number];
  readonly ablation: (typeof ABLATIONS)[number];
  readonly region: readonly number[];
  readonly dim?: number;
  readonly depth?: number;
  readonly heads?: number;
  readonly decoderDim: number;
  readonly decoderDepth: number;
  readonly decoderHeads: number;
  readonly decoderPositions: PretrainingConfig['decoderPositions'];
  readonly imageSize: number;
  readonly frames: number;
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
  readonly profile?: true;
  readonly debug?: true;
}

/**
 * Checks the options against each other. Throws `OptionError` naming the first that does not fit, as the user
 * wrote it; that each lies in its own range has been checked where it was read.
 */
export function requireFittingOptions(options: TrainOptions): void {
  const { model, ablation, lr, minLr, epochs, warmupEpochs, startSeconds = 0, endSeconds } = options;
  if (model === 'vit-base' && ablation !== 'none') {
    throw new OptionError(
      '--ablation',
      ablation,
      'none with --model vit-base, which has no regions to ablate',
    );
  }
  if (warmupEpochs > epochs) {
    throw new OptionError('--warmup-epochs', warmupEpochs, `at most the ${epochs} of --epochs`);
  }
  if (minLr > lr) throw new OptionError('--min-lr', minLr, `at most the ${lr} of --lr`);
  if (endSeconds !== undefined && endSeconds <= startSeconds) {
    throw new OptionError('--end-seconds', endSeconds, `a time after the ${startSeconds} of --start-seconds`);
  }
}

/** The model that the options describe. Throws `OptionError` naming the first that does not fit the others. */
export function modelConfig(options: TrainOptions): PretrainingConfig {
  const { decoderPositions } = options;
  const encoder = encoderConfig(options);
  const decoder = {
    ...paperDecoder,
    dim: options.decoderDim,
    depth: options.decoderDepth,
    heads: options.decoderHeads,
  };
  requireFittingClip(encoder);
  requireFittingWidth('', encoder);
  requireFittingWidth('decoder-', decoder);
  requireFittingMask(encoder, options.maskRatio);
  validateEncoder(encoder);
  validateDecoder(decoder);
  return { encoder, decoder, decoderPositions };
}

function encoderConfig(options: TrainOptions): EncoderConfig {
  const { model, ablation, dim, depth, heads, imageSize, frames } = options;
  const given = Object.fromEntries(
    Object.entries({ dim, depth, heads }).filter(([, value]) => value !== undefined),
  );
  const clip = { imageSize, frames, ...given };
  if (model === 'vit-base') return vitBase(clip);
  const [t, h, w] = options.region as [number, number, number];
  return lgiFormer(model, {
    ...clip,
    region: [t, h, w],
    interRegion: ablation === 'none' || ablation === 'no-local-global',
    localGlobal: ablation === 'none' || ablation === 'no-inter-region',
  });
}

function requireFittingClip(encoder: EncoderConfig): void {
  const { imageSize, patchSize, frames, tubeletSize } = encoder;
  if (imageSize % patchSize !== 0) {
    throw new OptionError('--image-size', imageSize, `a multiple of ${patchSize}, the edge of a cube`);
  }
  if (frames % tubeletSize !== 0) {
    throw new OptionError('--frames', frames, `a multiple of ${tubeletSize}, the frames of a cube`);
  }
  if (encoder.kind !== 'lgi-former') return;
  const grid = tokenGrid(encoder);
  if (encoder.region.some((extent, axis) => grid[axis]! % extent !== 0)) {
    throw new OptionError(
      '--region',
      encoder.region.join(','),
      `extents that divide the ${grid.join('×')} cubes of a clip (--frames / ${tubeletSize}, --image-size / ${patchSize})`,
    );
  }
}

function requireFittingWidth(prefix: string, { dim, heads }: { dim: number; heads: number }): void {
  if (dim % 2 !== 0) throw new OptionError(`--${prefix}dim`, dim, 'an even width');
  if (dim % heads !== 0) {
    throw new OptionError(`--${prefix}heads`, heads, `a number that divides the width of ${dim}`);
  }
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

// How a run is watched and stored does not change its result.
const FREE: readonly (keyof TrainOptions)[] = [
  'out',
  'resume',
  'stopAfter',
  'saveEvery',
  'keep',
  'workers',
  'profile',
  'debug',
];

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
  const settings: Record<string, JsonValue> = { videos };
  for (const key of WITHOUT_DEFAULT) settings[key] = null;
  for (const [key, value] of Object.entries(options)) {
    if (!FREE.includes(key as keyof TrainOptions)) settings[key] = value as JsonValue;
  }
  return { ...settings, dim: encoder.dim, depth: encoder.depth, heads: encoder.heads };
}
