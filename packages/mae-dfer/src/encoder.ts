import { addRows, broadcastRows, join, linear, reshape, type Tensor } from '@tubelet/autograd';
import {
  byFanIn,
  layer,
  pack,
  parameter,
  tree,
  uniform,
  type Initialiser,
  type Weight,
} from '@tubelet/autograd/layers';
import type { GpuArray } from '@tubelet/kernels';
import { blocks, type PassOptions } from './blocks.js';
import { cubeSize, regionCount, type EncoderConfig } from './config.js';
import { lgiBlock, type LgiDropPath } from './lgi-block.js';
import { vitBlock, type VitDropPath } from './vit-block.js';

/** Stochastic-depth draws by block; branches without a draw are kept. */
export type DropPathDraws = readonly (LgiDropPath & VitDropPath)[];

/** The cubes that enter the encoder, and where they come from. */
export interface EncoderInput extends PassOptions {
  /** Tensor [B, M, N, cube]: N cubes of each of M regions (a ViT has one region). */
  readonly cubes: Tensor;
  /** u32 [B, M, N]: token index of each cube, for its position. */
  readonly indices: GpuArray;
  /** The sinusoid table, [tokens, C]. */
  readonly positions: GpuArray;
  /** [B·M]: cubes of each region of LGI-Former where those behind them are padding. */
  readonly tokensOfRegions?: readonly number[];
  readonly dropPath?: DropPathDraws;
}

interface EncoderWeights {
  /** Of the matrices of its blocks. */
  readonly init: Initialiser;
  /** Makes the representative tokens, [M, C]. */
  readonly tokens: (shape: readonly number[]) => Weight;
}

/**
 * Embeds cubes, adds positions and runs all blocks. The result is region-major with the representative token in
 * row 0 of its region, [B, M, 1+N, C], for LGI-Former, and [B, M·N, C] for a ViT.
 */
export function encoder(config: EncoderConfig, { init, tokens }: EncoderWeights) {
  const { dim, depth } = config;
  const isLgi = config.kind === 'lgi-former';
  const regionTokens = isLgi ? tokens([regionCount(config), dim]) : undefined;
  const embed = patchEmbedding(config);
  const run = blocks(
    Array.from({ length: depth }, () => (isLgi ? lgiBlock(config, init) : vitBlock(config, init))),
  );
  const forward = ({ cubes, indices, positions, tokensOfRegions, dropPath, ...pass }: EncoderInput) => {
    const [batch, regions, perRegion] = cubes.shape as [number, number, number];
    const embedded = embed(cubes);
    pass.observe?.('patch_embed', embedded);
    const rows = { table: positions, indices: indices.reshape([indices.size]) };
    const optionsOf = (block: number) => ({ dropPath: dropPath?.[block], tokensOfRegions });
    if (!regionTokens) {
      return run(reshape(addRows(embedded, rows), [batch, regions * perRegion, dim]), pass, optionsOf);
    }
    // Region by region [S, E + P]
    const whole = cubes.engine.empty([batch, regions, 1 + perRegion, dim], 'f32', 'tokens');
    const representatives = broadcastRows(regionTokens.tensor, [batch], { into: whole.slice(2, 0, 1) });
    const locals = addRows(embedded, rows, { into: whole.slice(2, 1, 1 + perRegion) });
    return run(join(whole, [representatives, locals]), pass, optionsOf);
  };
  return {
    children: { lg_region_tokens: regionTokens, patch_embed: tree({ proj: embed }), blocks: run },
    forward,
  };
}

/**
 * The convolution whose kernel and stride are one cube, stored [C, 3, t, p, p] and used as the matrix [C, cube]: cubes
 * [..., cube] → [..., C].
 */
function patchEmbedding(config: EncoderConfig) {
  const { dim, tubeletSize, patchSize } = config;
  const weight = parameter([dim, 3, tubeletSize, patchSize, patchSize], byFanIn);
  const matrix = pack([dim, cubeSize(config)], { weight });
  const bias = parameter([dim], uniform(1 / Math.sqrt(cubeSize(config))));
  return layer({ matrix, bias }, (cubes: Tensor) => linear(cubes, matrix.tensor, { bias: bias.tensor }));
}
