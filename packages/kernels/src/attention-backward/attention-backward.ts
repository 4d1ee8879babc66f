import { attentionData, elementWidth, type AttentionExtents } from '../attention/attention-layout.js';
import { backwardKeyKernel, backwardQueryKernel } from '../attention/attention-matrix-tiling.js';
import {
  attentionVariantsOf,
  broadcastPlanner,
  broadcastVariant,
  depthOf,
  headConstants,
  matrixPlanner,
  matrixVariant,
  selectAttention,
  tiledPlanner,
  type AttentionPlanner,
} from '../attention/attention-plan.js';
import rowsWgsl from '../attention/attention-rows.wgsl';
import { GpuArray } from '../runtime/gpu-array.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import {
  attentionBackwardExtents,
  type AttentionBackwardArguments,
  type BackwardCall,
} from './attention-backward-arguments.js';
import { keyGradientCost, queryGradientCost, reduceCost } from './attention-backward-cost.js';
import keyArraysWgsl from './attention-backward-key-arrays.wgsl';
import keyMatrixWgsl from './attention-backward-key-matrix.wgsl';
import keyBroadcastWgsl from './attention-backward-key-subgroup-broadcast.wgsl';
import keyTiledWgsl from './attention-backward-key-tiled.wgsl';
import queryArraysWgsl from './attention-backward-query-arrays.wgsl';
import queryMatrixWgsl from './attention-backward-query-matrix.wgsl';
import queryBroadcastWgsl from './attention-backward-query-subgroup-broadcast.wgsl';
import queryTiledWgsl from './attention-backward-query-tiled.wgsl';
import reduceWgsl from './attention-backward-reduce.wgsl';
import { chunksOf, windowGradients } from './attention-backward-window.js';
import storesWgsl from './attention-gradient-stores.wgsl';
import {
  matrixWindow,
  privateWindow,
  sharedWindow,
  type WindowPlan,
  type WindowPlanner,
} from './attention-window-plan.js';

export type { AttentionBackwardArguments };

interface AttentionBackwardVariant extends Variant {
  readonly query: AttentionPlanner;
  readonly key: AttentionPlanner;
  /** Blocks that keep the device busy: with fewer, the sums over the queries are split. */
  readonly blocksWanted: number;
  /** One kernel for all gradients of a window; what is none goes to the two above. */
  readonly window?: WindowPlanner;
}

const tiled = {
  query: tiledPlanner(queryTiledWgsl, 2),
  key: tiledPlanner(keyTiledWgsl, 2),
};

const matrixUnits = {
  ...matrixVariant(backwardQueryKernel, backwardKeyKernel),
  query: matrixPlanner(queryMatrixWgsl, backwardQueryKernel, tiled.query),
  key: matrixPlanner(keyMatrixWgsl, backwardKeyKernel, tiled.key),
  blocksWanted: 256,
};

// All make the gradients of a window in one kernel, but for `matrix-units-blocks`, which never does.
export const attentionBackwardVariants: readonly AttentionBackwardVariant[] = [
  {
    ...broadcastVariant,
    query: broadcastPlanner(queryBroadcastWgsl),
    key: broadcastPlanner(keyBroadcastWgsl),
    blocksWanted: 8,
    window: privateWindow,
  },
  {
    name: 'tiled',
    needs: [],
    prefers: ['gpu', 'any'],
    ...tiled,
    blocksWanted: 512,
    window: sharedWindow,
  },
  // On an H100 a window of 101 keys takes 125 µs in one kernel, 227 in two, 380 tiled.
  { name: 'matrix-units', prefers: 'gpu', ...matrixUnits, window: matrixWindow },
  { name: 'matrix-units-blocks', prefers: [], ...matrixUnits },
];
// Windows of 11 keys take 19 µs in one kernel on an H100, 34 tiled.
const variants = attentionVariantsOf(attentionBackwardVariants, 11);

// A chunk below this costs more in partial sums than it gains.
const MIN_QUERIES_PER_CHUNK = 32;

/**
 * Gradients of `attention`: dP = dOut·Vᵀ, dS = P ∘ (dP − rowsum(dOut ∘ out)), dQ = scale·dS·K, dK = scale·dSᵀ·Q, dV =
 * Pᵀ·dOut (Dao et al., 2022), with P made again from q, k and `logSumExp`. Views as in `attention`; dk and dv may be
 * slices of one buffer, which may also hold dq. No atomics: the same bits every time.
 *
 * @throws ShapeError for shapes that do not agree or gradients in the buffer of an input
 */
export function attentionBackward(runtime: Runtime, arguments_: AttentionBackwardArguments): void {
  const kernel = 'attention-backward';
  const extents = attentionBackwardExtents(kernel, arguments_);
  const { groups, queries, channels, heads } = extents;
  const scale = arguments_.scale ?? (channels / heads) ** -0.5;
  const variant = selectAttention(runtime, kernel, variants, extents);
  const call = { arguments: arguments_, extents, scale };
  const window = variant.window?.(runtime, extents);
  if (window && windowOf(runtime, variant, window, call)) return;
  const delta = runtime.empty([groups, heads, queries], 'f32', 'attention delta');
  queryGradient(runtime, variant, call, delta);
  keyGradients(runtime, variant, call, delta);
  runtime.release(delta);
}

/** All gradients by the kernel of a window; false where the device cannot bind the arrays that they are in. */
function windowOf(
  runtime: Runtime,
  { name }: AttentionBackwardVariant,
  window: WindowPlan,
  call: BackwardCall,
): boolean {
  const { groups, keys, channels } = call.extents;
  const chunks = chunksOf(window, call.extents);
  if (chunks === 1) return windowGradients(runtime, name, window, call);
  const partials = runtime.empty([chunks, groups, keys, 2 * channels], 'f32', 'attention partials');
  const isDone = windowGradients(runtime, name, window, call, partials);
  if (isDone) reduce(runtime, call, partials);
  runtime.release(partials);
  return isDone;
}

function queryGradient(
  runtime: Runtime,
  variant: AttentionBackwardVariant,
  { arguments: { q, k, v, out, logSumExp, dOut, dq }, extents, scale }: BackwardCall,
  delta: GpuArray,
): void {
  const views = { Q: q, K: k, V: v, OUT: out, D_OUT: dOut, DQ: dq };
  const width = elementWidth(extents, views);
  const plan = variant.query({ runtime, extents, rows: 'queries' });
  const blocks = Math.ceil(extents.queries / plan.blockRows);
  const tiles = extents.groups * extents.heads * blocks;
  const grid = runtime.linearGrid(tiles);
  runtime.run({
    kernel: 'attention-backward-query',
    variant: variant.name,
    wgsl: [queryArraysWgsl, ...plan.wgsl],
    constants: { ...headConstants(extents, width), ...plan.constants },
    data: {
      ...attentionData(extents, scale, width, views),
      LOG_SUM_EXP_OFFSET: logSumExp.offset,
      BLOCKS: blocks,
      TILES: tiles,
      GRID_X: grid[0],
    },
    arrays: { dq, delta, q, k, v, out, d_out: dOut, log_sum_exp: logSumExp },
    workgroups: grid,
    cost: queryGradientCost(extents),
  });
}

function keyGradients(
  runtime: Runtime,
  variant: AttentionBackwardVariant,
  call: BackwardCall,
  delta: GpuArray,
): void {
  const { extents, scale } = call;
  const { groups, queries, keys, channels, heads } = extents;
  const { q, k, v, dOut, logSumExp, ...given } = call.arguments;
  const plan = variant.key({ runtime, extents, rows: 'keys' });
  const blocks = Math.ceil(keys / plan.blockRows);
  const chunk = queriesPerChunk(variant, extents, blocks);
  const splits = Math.ceil(queries / chunk);
  const scratch =
    splits > 1 ? runtime.empty([splits, groups, keys, 2 * channels], 'f32', 'attention partials') : undefined;
  const { dk, dv } = scratch ? partialGradients(scratch) : given;
  const views = { Q: q, K: k, V: v, D_OUT: dOut, DK: dk, DV: dv };
  const width = elementWidth(extents, views);
  const tiles = groups * heads * blocks * splits;
  const grid = runtime.linearGrid(tiles);
  runtime.run({
    kernel: 'attention-backward-key',
    variant: variant.name,
    wgsl: [keyArraysWgsl, storesWgsl, ...plan.wgsl],
    constants: { ...headConstants(extents, width, { results: dk.dtype }), ...plan.constants },
    data: {
      ...attentionData(extents, scale, width, views),
      LOG_SUM_EXP_OFFSET: logSumExp.offset,
      BLOCKS: blocks,
      TILES: tiles,
      GRID_X: grid[0],
      SPLITS: splits,
      CHUNK: chunk,
      SPLIT_STRIDE: (groups * keys * 2 * channels) / width,
    },
    arrays: { dk, dv: apart(dv, dk), q, k, v, d_out: dOut, log_sum_exp: logSumExp, delta },
    workgroups: grid,
    cost: keyGradientCost(extents, { parts: splits }),
  });
  if (scratch) {
    reduce(runtime, call, scratch);
    runtime.release(scratch);
  }
}

/** Few keys leave few blocks: then the queries are summed in chunks. */
function queriesPerChunk(
  variant: AttentionBackwardVariant,
  extents: AttentionExtents,
  blocks: number,
): number {
  const { groups, heads, queries } = extents;
  const splits = Math.min(
    Math.ceil(variant.blocksWanted / (groups * heads * blocks)),
    Math.max(1, Math.floor(queries / MIN_QUERIES_PER_CHUNK)),
  );
  return Math.ceil(queries / splits);
}

/** dk and dv of the first chunk, side by side in partial sums [splits, G, Lk, 2C]. */
function partialGradients({ storage, shape }: GpuArray) {
  const [, groups = 0, keys = 0, pair = 0] = shape;
  const part = (offset: number) =>
    new GpuArray(storage, 'f32', [groups, keys, pair / 2], [keys * pair, pair, 1], offset);
  return { dk: part(0), dv: part(pair / 2) };
}

/** `array` where it has a storage of its own, else nothing: then it is bound as `other`. */
function apart(array: GpuArray, other: GpuArray): GpuArray | undefined {
  return array.storage === other.storage ? undefined : array;
}

function reduce(runtime: Runtime, call: BackwardCall, partials: GpuArray): void {
  const { extents, scale } = call;
  const { groups, heads, keys, channels } = extents;
  const { dk, dv } = call.arguments;
  const views = { DK: dk, DV: dv };
  const width = elementWidth(extents, views);
  const depth = depthOf(extents, 4);
  const count = (groups * keys * 2 * heads * depth) / 4;
  const grid = runtime.linearGrid(Math.ceil(count / 64));
  runtime.run({
    kernel: 'attention-backward-reduce',
    wgsl: [rowsWgsl, storesWgsl, reduceWgsl],
    constants: { ...headConstants(extents, width, { inputs: 'f32' }), DEPTH: depth, KEEP_LOOPS: false },
    data: {
      ...attentionData(extents, scale, width, views),
      COUNT: count,
      SPLITS: partials.shape[0]!,
      SPLIT_STRIDE: (groups * keys * 2 * channels) / width,
      GRID_X: grid[0],
    },
    arrays: { dk, dv: apart(dv, dk), partial_sums: partials },
    workgroups: grid,
    cost: reduceCost(extents, { parts: partials.shape[0]! }),
  });
}
