import {
  addRows,
  broadcastRows,
  join,
  linear,
  reshape,
  type ParameterStore,
  type Tensor,
} from '@tubelet/autograd';
import type { GpuArray } from '@tubelet/kernels';
import { runBlocks, type PassOptions } from './blocks.js';
import type { EncoderConfig } from './config.js';
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
  /** [B·M]: cubes of each region of LGI-Former where those behind them are padding. */
  readonly tokensOfRegions?: readonly number[];
  readonly dropPath?: DropPathDraws;
}

/**
 * Embeds cubes, adds positions and runs all blocks. The result is region-major with the representative token in
 * row 0 of its region, [B, M, 1+N, C], for LGI-Former, and [B, M·N, C] for a ViT. `positions` is the sinusoid
 * table [tokens, C].
 */
export function encode(
  store: ParameterStore,
  prefix: string,
  config: EncoderConfig,
  positions: GpuArray,
  { cubes, indices, tokensOfRegions, dropPath, observe, recompute }: EncoderInput,
): Tensor {
  const { engine } = cubes;
  const [batch, regions, perRegion] = cubes.shape as [number, number, number];
  const embedded = linear(cubes, store.pack(`${prefix}patch_embed.proj.matrix`), {
    bias: store.get(`${prefix}patch_embed.proj.bias`),
  });
  observe?.(`${prefix}patch_embed`, embedded);
  const rows = { table: positions, indices: indices.reshape([indices.size]) };
  const blocks = { name: `${prefix}blocks`, depth: config.depth, observe, recompute };
  if (config.kind === 'vit') {
    const x = reshape(addRows(embedded, rows), [batch, regions * perRegion, config.dim]);
    return runBlocks(x, blocks, (before, name, i) =>
      vitBlock(store, name, before, { heads: config.heads, dropPath: dropPath?.[i] }),
    );
  }
  const tokens = engine.empty([batch, regions, 1 + perRegion, config.dim], 'f32', 'tokens');
  const representatives = broadcastRows(store.get(`${prefix}lg_region_tokens`), [batch], {
    into: tokens.slice(2, 0, 1),
  });
  const locals = addRows(embedded, rows, { into: tokens.slice(2, 1, 1 + perRegion) });
  const x = join(tokens, [representatives, locals]);
  return runBlocks(x, blocks, (before, name, i) =>
    lgiBlock(store, name, before, { ...config, tokensOfRegions, dropPath: dropPath?.[i] }),
  );
}
