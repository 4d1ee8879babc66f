import {
  lgiFormer,
  maskDesign,
  paperDecoder,
  validateDecoder,
  validateEncoder,
  vitBase,
  type EncoderConfig,
  type PretrainingConfig,
} from '@tubelet/mae-dfer';
import { windowMaskCounts } from '@tubelet/kernels';
import type { CropMode } from '@tubelet/video';
import type { JsonValue } from '@tubelet/trainer';

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
  readonly resume: boolean;
  readonly stopAfter?: number;
  readonly saveEvery?: number;
  readonly keep: number;
  readonly workers?: number;
  readonly profile: boolean;
}

/** The model that the options describe. Throws `ConfigError` or `MaskError` naming what does not fit. */
export function modelConfig(options: TrainOptions): PretrainingConfig {
  const { model, dim, depth, heads, imageSize, frames, decoderPositions } = options;
  const given = Object.fromEntries(
    Object.entries({ dim, depth, heads }).filter(([, value]) => value !== undefined),
  );
  const clip = { imageSize, frames, ...given };
  const [t, h, w] = options.region as [number, number, number];
  const encoder: EncoderConfig =
    model === 'vit-base'
      ? vitBase(clip)
      : lgiFormer(model, {
          ...clip,
          region: [t, h, w],
          interRegion: options.ablation === 'none' || options.ablation === 'no-local-global',
          localGlobal: options.ablation === 'none' || options.ablation === 'no-inter-region',
        });
  const decoder = {
    ...paperDecoder,
    dim: options.decoderDim,
    depth: options.decoderDepth,
    heads: options.decoderHeads,
  };
  validateEncoder(encoder);
  validateDecoder(decoder);
  windowMaskCounts(maskDesign(encoder, options.maskRatio));
  return { encoder, decoder, decoderPositions };
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
];

/** The settings that decide the result of a run: a resumed run must have the same. */
export function bindingSettings(
  options: TrainOptions,
  sources: readonly string[],
): Record<string, JsonValue> {
  const settings: Record<string, JsonValue> = { sources: [...sources] };
  for (const [key, value] of Object.entries(options)) {
    if (!FREE.includes(key as keyof TrainOptions)) settings[key] = value as JsonValue;
  }
  return settings;
}
