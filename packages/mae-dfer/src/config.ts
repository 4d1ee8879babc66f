import { shown } from '@tubelet/kernels';

/** A model configuration contradicts itself. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Three extents in the order time, height, width. */
export type Extents = readonly [number, number, number];

/** The clip a model takes and how it is cut into cubes (tokens). */
export interface ClipConfig {
  /** Frames in a clip. */
  readonly frames: number;
  /** Height and width of the square frames, in pixels. */
  readonly imageSize: number;
  /** Frames in a cube; the reconstruction targets are defined for 2. */
  readonly tubeletSize: number;
  /** Height and width of a cube, in pixels. */
  readonly patchSize: number;
}

/** The size of a transformer. */
export interface TransformerConfig {
  /** Width of a token. */
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
}

/** LGI-Former (Sun et al., 2023): local, global inter-region and local–global attention in every block. */
export interface LgiFormerConfig extends ClipConfig, TransformerConfig {
  readonly kind: 'lgi-former';
  /** Extents of a local region, in tokens. */
  readonly region: Extents;
  /** Global inter-region attention among representative tokens (ablated in the paper's Table 3). */
  readonly interRegion: boolean;
  /** Local–global attention from local tokens to representative tokens (ablated in Table 3). */
  readonly localGlobal: boolean;
}

/** The ViT with joint space-time attention that VideoMAE uses: the baseline. */
export interface VitConfig extends ClipConfig, TransformerConfig {
  readonly kind: 'vit';
}

/** An encoder of either kind. */
export type EncoderConfig = LgiFormerConfig | VitConfig;

/** The decoder that reconstructs masked cubes: a plain ViT over all tokens. */
export type DecoderConfig = TransformerConfig;

/** LayerNorm ε of every norm in both models. */
export const LAYER_NORM_EPSILON = 1e-6;

/** Hidden width of the feed-forward network over the token width. */
export const MLP_RATIO = 4;

/** The clips of the paper: 16 frames of 160×160 pixels, cubes of 2×16×16. */
export const paperClip: ClipConfig = { frames: 16, imageSize: 160, tubeletSize: 2, patchSize: 16 };

const lgiFormerDims = { tiny: 256, small: 384, base: 512 } as const;

/** The sizes of LGI-Former in the paper. */
export type LgiFormerSize = keyof typeof lgiFormerDims;

/** LGI-Former of the paper's Table 10: 16 blocks, region 2×5×10; heads are C/64 (only base has published ones). */
export function lgiFormer(
  size: LgiFormerSize,
  overrides: Partial<Omit<LgiFormerConfig, 'kind'>> = {},
): LgiFormerConfig {
  const dim = overrides.dim ?? lgiFormerDims[size];
  return {
    kind: 'lgi-former',
    ...paperClip,
    dim,
    depth: 16,
    heads: Math.max(1, Math.round(dim / 64)),
    region: [2, 5, 10],
    interRegion: true,
    localGlobal: true,
    ...overrides,
  };
}

/** VideoMAE's ViT-B: 12 blocks of width 768 with 12 heads. */
export function vitBase(overrides: Partial<Omit<VitConfig, 'kind'>> = {}): VitConfig {
  return { kind: 'vit', ...paperClip, dim: 768, depth: 12, heads: 12, ...overrides };
}

/** Decoder of base models: 4 blocks of width 384 with 6 heads. */
export const paperDecoder: DecoderConfig = { dim: 384, depth: 4, heads: 6 };

/** Number of tokens along time, height and width. */
export function tokenGrid(clip: ClipConfig): Extents {
  const { frames, imageSize, tubeletSize, patchSize } = clip;
  return [frames / tubeletSize, imageSize / patchSize, imageSize / patchSize];
}

/** Number of tokens in a clip. */
export function tokenCount(clip: ClipConfig): number {
  const [t, h, w] = tokenGrid(clip);
  return t * h * w;
}

/** Region extents in tokens; a ViT is one region that covers the clip. */
export function regionOf(config: EncoderConfig): Extents {
  return config.kind === 'lgi-former' ? config.region : tokenGrid(config);
}

/** Number of regions in a clip (M). */
export function regionCount(config: EncoderConfig): number {
  const grid = tokenGrid(config);
  return regionOf(config).reduce((count, extent, axis) => (count * grid[axis]!) / extent, 1);
}

/** Values of a cube: 3 channels × frames × rows × columns. */
export function cubeSize(clip: ClipConfig): number {
  return 3 * clip.tubeletSize * clip.patchSize ** 2;
}

/** No model is larger; beyond them making one would take for ever. */
const LARGEST = {
  frames: 4096,
  imageSize: 8192,
  tubeletSize: 4096,
  patchSize: 8192,
  dim: 65536,
  depth: 1000,
  heads: 65536,
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/**
 * The encoder that a file describes.
 *
 * @param value parsed JSON
 * @throws ConfigError naming the first setting that is missing or cannot be
 */
export function encoderFromJson(value: unknown): EncoderConfig {
  if (!isObject(value)) throw new ConfigError(`the encoder is ${shown(value)}; it must be an object`);
  const { kind, region, interRegion, localGlobal } = value;
  if (kind !== 'vit' && kind !== 'lgi-former') {
    throw new ConfigError(`kind is ${shown(kind)}; known are lgi-former and vit`);
  }
  for (const [name, most] of Object.entries(LARGEST)) requireWithin(name, value[name], most);
  if (kind === 'lgi-former') {
    if (!Array.isArray(region) || region.length !== 3 || !region.every(Number.isInteger)) {
      throw new ConfigError(`region is ${shown(region)}; it must be three whole numbers`);
    }
    if (typeof interRegion !== 'boolean' || typeof localGlobal !== 'boolean') {
      throw new ConfigError('interRegion and localGlobal must be true or false');
    }
  }
  const config = value as unknown as EncoderConfig;
  validateEncoder(config);
  return config;
}

/**
 * The decoder that a file describes.
 *
 * @param value parsed JSON
 * @throws ConfigError naming the first setting that is missing or cannot be
 */
export function decoderFromJson(value: unknown): DecoderConfig {
  if (!isObject(value)) throw new ConfigError(`the decoder is ${shown(value)}; it must be an object`);
  for (const name of ['dim', 'depth', 'heads'] as const) {
    requireWithin(`decoder ${name}`, value[name], LARGEST[name]);
  }
  const config = value as unknown as DecoderConfig;
  validateDecoder(config);
  return config;
}

function requireWithin(name: string, value: unknown, most: number): void {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > most) {
    throw new ConfigError(`${name} is ${shown(value)}; it must be a whole number from 1 to ${most}`);
  }
}

/** @throws ConfigError naming the first setting that does not fit the others */
export function validateEncoder(config: EncoderConfig): void {
  requirePositiveIntegers(config, [
    'frames',
    'imageSize',
    'tubeletSize',
    'patchSize',
    'dim',
    'depth',
    'heads',
  ]);
  requireDivides('frames', config.frames, 'tubeletSize', config.tubeletSize);
  requireDivides('imageSize', config.imageSize, 'patchSize', config.patchSize);
  requireDivides('dim', config.dim, 'heads', config.heads);
  if (config.dim % 2 !== 0)
    throw new ConfigError(`dim is ${config.dim}; sinusoidal positions need an even width`);
  if (config.kind === 'lgi-former') {
    const grid = tokenGrid(config);
    config.region.forEach((extent, axis) => {
      if (!Number.isInteger(extent) || extent < 1 || grid[axis]! % extent !== 0) {
        throw new ConfigError(
          `region ${config.region.join('×')} does not divide the token grid ${grid.join('×')}` +
            ` (${config.frames} frames of ${config.imageSize}×${config.imageSize} pixels)`,
        );
      }
    });
  }
}

/** @throws ConfigError naming the first setting that does not fit the others */
export function validateDecoder(config: DecoderConfig): void {
  requirePositiveIntegers(config, ['dim', 'depth', 'heads']);
  requireDivides('decoder dim', config.dim, 'decoder heads', config.heads);
  if (config.dim % 2 !== 0)
    throw new ConfigError(`decoder dim is ${config.dim}; sinusoidal positions need an even width`);
}

function requirePositiveIntegers<T>(config: T, names: readonly (keyof T & string)[]): void {
  for (const name of names) {
    const value = config[name] as number;
    if (!Number.isInteger(value) || value < 1) {
      throw new ConfigError(`${name} is ${value}; it must be a positive whole number`);
    }
  }
}

function requireDivides(whole: string, wholeValue: number, part: string, partValue: number): void {
  if (wholeValue % partValue !== 0) {
    throw new ConfigError(`${whole} (${wholeValue}) is not a multiple of ${part} (${partValue})`);
  }
}
