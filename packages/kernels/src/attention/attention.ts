import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import {
  attentionExtents,
  attentionKey,
  requireSeparate,
  requireShape,
  requireStatistics,
  statisticsBytes,
  viewBytes,
  type AttentionExtents,
} from './attention-layout.js';
import { forwardKernel } from './attention-matrix-tiling.js';
import matrixUnitsWgsl from './attention-matrix-units.wgsl';
import subgroupBroadcastWgsl from './attention-subgroup-broadcast.wgsl';
import {
  attentionVariantsOf,
  broadcastPlanner,
  broadcastVariant,
  matrixPlanner,
  matrixVariant,
  plainPlanner,
  selectAttention,
  type AttentionPlanner,
} from './attention-plan.js';
import tiledWgsl from './attention-tiled.wgsl';
import registersWgsl from './attention.wgsl';

interface AttentionVariant extends Variant {
  readonly plan: AttentionPlanner;
}

const registers = plainPlanner(registersWgsl, 'row-blocks');
const tiled = plainPlanner(tiledWgsl, 'shared-rows');

export const attentionVariants: readonly AttentionVariant[] = [
  { ...broadcastVariant, plan: broadcastPlanner(subgroupBroadcastWgsl, registers) },
  { name: 'registers', needs: [], prefers: 'software', plan: registers },
  { name: 'tiled', needs: [], prefers: 'gpu', plan: tiled },
  {
    name: 'matrix-units',
    prefers: 'gpu',
    ...matrixVariant(forwardKernel),
    plan: matrixPlanner(matrixUnitsWgsl, forwardKernel, tiled),
  },
];
const variants = attentionVariantsOf(attentionVariants, 16);

export interface AttentionArguments {
  /** Queries [G, Lq, C]. */
  readonly q: GpuArray;
  /** Keys [G, Lk, C]. */
  readonly k: GpuArray;
  /** Values [G, Lk, C]. */
  readonly v: GpuArray;
  /** Result [G, Lq, C]. */
  readonly out: GpuArray;
  /** log Σⱼ exp(scoreᵢⱼ), contiguous [G, H, Lq]; written when given. The backward needs it. */
  readonly logSumExp?: GpuArray | undefined;
  /** H; head h owns channels h·C/H … (h+1)·C/H − 1 of q, k, v and out. */
  readonly heads: number;
  /** Factor of the scores; default (C/H)^−½. */
  readonly scale?: number | undefined;
}

/** 2·G·Lq·Lk·C multiply–accumulates: Q·Kᵀ and P·V. Every array is read or written once. */
export function attentionCost(extents: AttentionExtents, withLogSumExp: boolean): Cost {
  const { groups, queries, keys, channels } = extents;
  return {
    macs: 2 * groups * queries * keys * channels,
    flops: 0,
    bytesRead: viewBytes(extents, queries) + viewBytes(extents, keys, 2),
    bytesWritten: viewBytes(extents, queries) + (withLogSumExp ? statisticsBytes(extents) : 0),
  };
}

/**
 * out = softmax(scale · Q·Kᵀ) · V for each of G groups and H heads (Vaswani et al., 2017), without storing the
 * probabilities. q, k, v and out are f32 views with contiguous channels and any group and row strides, so that
 * slices of a fused q|k|v or k|v buffer, or every (1+N)-th row, are taken as they are.
 * Throws `ShapeError` for shapes that do not agree, a head dimension above 128, or an `out` (or `logSumExp`)
 * in the buffer of an input.
 */
export function attention(
  runtime: Runtime,
  { q, k, v, out, logSumExp, heads, scale }: AttentionArguments,
): void {
  const extents = attentionExtents('attention', q, k, v, heads);
  const { groups, queries, keys, channels } = extents;
  requireShape('attention', 'out', out, q.shape);
  if (logSumExp) requireStatistics('attention', 'logSumExp', logSumExp, extents);
  requireSeparate('attention', { q, k, v }, logSumExp ? { out, logSumExp } : { out });
  const factor = scale ?? (channels / heads) ** -0.5;
  const variant = selectAttention(runtime, 'attention', variants, extents);
  // A kernel cannot leave a binding out, so that unwanted statistics go to a scratch array.
  const statistics = logSumExp ?? runtime.empty([groups, heads, queries], 'f32', 'attention statistics');
  const views = { q, k, v, out };
  const key = `attention ${variant.name} ${statistics.offset} ${attentionKey(extents, factor, views)}`;
  const plan = variant.plan({ runtime, extents, rows: 'queries' });
  const tiles = groups * heads * Math.ceil(queries / plan.tileRows);
  const grid = runtime.linearGrid(Math.ceil(tiles / plan.tilesPerWorkgroup));
  const program = runtime.program(key, () => ({
    kernel: 'attention',
    detail: `${variant.name} G=${groups} Lq=${queries} Lk=${keys} C=${channels} H=${heads}`,
    wgsl: plan.source(factor, views, {
      LOG_SUM_EXP_OFFSET: statistics.offset,
      TILES: tiles,
      GRID_X: grid[0],
    }),
    access: ['read', 'read', 'read', 'read_write', 'read_write'],
  }));
  runtime.dispatch(
    program,
    [q, k, v, out, statistics],
    grid,
    attentionCost(extents, logSumExp !== undefined),
  );
  if (!logSumExp) runtime.release(statistics);
}
