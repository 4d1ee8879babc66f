import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import { requireSeparate } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import arraysWgsl from './attention-arrays.wgsl';
import fewKeysWgsl from './attention-few-keys.wgsl';
import {
  attentionData,
  attentionExtents,
  elementWidth,
  requireShape,
  requireStatistics,
  statisticsBytes,
  viewBytes,
  type AttentionExtents,
} from './attention-layout.js';
import { forwardKernel } from './attention-matrix-tiling.js';
import matrixUnitsWgsl from './attention-matrix-units.wgsl';
import {
  attentionVariantsOf,
  broadcastPlanner,
  broadcastVariant,
  fewKeysPlanner,
  headConstants,
  matrixPlanner,
  matrixVariant,
  selectAttention,
  tiledPlanner,
  type AttentionPlanner,
} from './attention-plan.js';
import subgroupBroadcastWgsl from './attention-subgroup-broadcast.wgsl';
import tiledWgsl from './attention-tiled.wgsl';

interface AttentionVariant extends Variant {
  readonly plan: AttentionPlanner;
}

const tiled = tiledPlanner(tiledWgsl, 1);

export const attentionVariants: readonly AttentionVariant[] = [
  { ...broadcastVariant, plan: fewKeysPlanner(fewKeysWgsl, broadcastPlanner(subgroupBroadcastWgsl)) },
  { name: 'tiled', needs: [], prefers: ['gpu', 'any'], plan: tiled },
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
 * probabilities. q, k, v and out are views of one dtype, f32 or f16, with contiguous channels and any group and row
 * strides, so that slices of a fused q|k|v or k|v buffer, or every (1+N)-th row, are taken as they are.
 *
 * @throws ShapeError for shapes that do not agree, a head dimension above 128, or an `out` (or `logSumExp`) in the
 *   buffer of an input
 */
export function attention(
  runtime: Runtime,
  { q, k, v, out, logSumExp, heads, scale }: AttentionArguments,
): void {
  const extents = attentionExtents('attention', q, k, v, heads);
  const { groups, queries, channels } = extents;
  requireShape('attention', 'out', out, q.shape, q.dtype);
  if (logSumExp) requireStatistics('attention', 'logSumExp', logSumExp, extents);
  requireSeparate('attention', { out, logSumExp }, { q, k, v });
  const variant = selectAttention(runtime, 'attention', variants, extents);
  const plan = variant.plan({ runtime, extents, rows: 'queries' });
  // Unwanted statistics go to a scratch array, so that with and without them is one program.
  const statistics = logSumExp ?? runtime.empty([groups, heads, queries], 'f32', 'attention statistics');
  const views = { Q: q, K: k, V: v, OUT: out };
  const width = elementWidth(extents, views);
  const blocks = Math.ceil(queries / plan.blockRows);
  const tiles = groups * heads * blocks;
  const grid = runtime.linearGrid(tiles);
  runtime.run({
    kernel: 'attention',
    variant: variant.name,
    wgsl: [arraysWgsl, ...plan.wgsl],
    constants: { ...headConstants(extents, width), ...plan.constants },
    data: {
      ...attentionData(extents, scale ?? (channels / heads) ** -0.5, width, views),
      LOG_SUM_EXP_OFFSET: statistics.offset,
      BLOCKS: blocks,
      TILES: tiles,
      GRID_X: grid[0],
    },
    arrays: { q, k, v, out, log_sum_exp: statistics },
    workgroups: grid,
    cost: attentionCost(extents, logSumExp !== undefined),
  });
  if (!logSumExp) runtime.release(statistics);
}
