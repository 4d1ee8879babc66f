import { GpuArray } from '../runtime/gpu-array.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import { constantHeader } from '../runtime/wgsl.js';
import { attentionBackwardCost, attentionBackwardCosts } from './attention-backward-cost.js';
import keyMatrixWgsl from './attention-backward-key-matrix.wgsl';
import keyBroadcastWgsl from './attention-backward-key-subgroup-broadcast.wgsl';
import keyTiledWgsl from './attention-backward-key-tiled.wgsl';
import keyWgsl from './attention-backward-key.wgsl';
import queryMatrixWgsl from './attention-backward-query-matrix.wgsl';
import { windowGradients } from './attention-backward-window.js';
import queryBroadcastWgsl from './attention-backward-query-subgroup-broadcast.wgsl';
import queryTiledWgsl from './attention-backward-query-tiled.wgsl';
import queryWgsl from './attention-backward-query.wgsl';
import reduceWgsl from './attention-backward-reduce.wgsl';
import {
  attentionExtents,
  attentionHeader,
  attentionKey,
  laneWidth,
  requireSeparate,
  requireShape,
  requireStatistics,
  type AttentionExtents,
} from '../attention/attention-layout.js';
import { backwardKeyKernel, backwardQueryKernel } from '../attention/attention-matrix-tiling.js';
import {
  attentionVariantsOf,
  broadcastPlanner,
  broadcastVariant,
  matrixPlanner,
  matrixVariant,
  plainPlanner,
  selectAttention,
  type AttentionPlanner,
} from '../attention/attention-plan.js';
import { matrixWindow, privateWindow, sharedWindow, type WindowPlanner } from './attention-window-plan.js';
import joinedWgsl from './gradients-joined.wgsl';
import splitWgsl from './gradients-split.wgsl';
import quadJoinedWgsl from './quad-gradients-joined.wgsl';
import quadSplitWgsl from './quad-gradients-split.wgsl';

export { attentionBackwardCosts };

interface AttentionBackwardVariant extends Variant {
  readonly query: AttentionPlanner;
  readonly key: AttentionPlanner;
  /** Tiles that keep the device busy: with fewer, the sums over the queries are split. */
  readonly tilesWanted: number;
  /** One kernel for all gradients, where it has use for the extents. */
  readonly window?: WindowPlanner;
}

const tiled = {
  query: plainPlanner(queryTiledWgsl, 'shared-rows'),
  key: plainPlanner(keyTiledWgsl, 'shared-rows'),
};

const matrixUnits = {
  ...matrixVariant(backwardQueryKernel, backwardKeyKernel),
  query: matrixPlanner(queryMatrixWgsl, backwardQueryKernel, tiled.query),
  key: matrixPlanner(keyMatrixWgsl, backwardKeyKernel, tiled.key),
  tilesWanted: 256,
};

export const attentionBackwardVariants: readonly AttentionBackwardVariant[] = [
  {
    ...broadcastVariant,
    query: broadcastPlanner(queryBroadcastWgsl),
    key: broadcastPlanner(keyBroadcastWgsl),
    tilesWanted: 8,
    window: privateWindow,
  },
  {
    name: 'registers',
    needs: [],
    prefers: 'software',
    query: plainPlanner(queryWgsl, 'row-blocks'),
    key: plainPlanner(keyWgsl, 'row-blocks'),
    tilesWanted: 64,
    window: privateWindow,
  },
  { name: 'tiled', needs: [], prefers: 'gpu', ...tiled, tilesWanted: 512, window: sharedWindow },
  // On an H100 a window of 101 keys takes 125 µs in one kernel, 227 in two, 380 tiled.
  { name: 'matrix-units-window', prefers: 'gpu', ...matrixUnits, window: matrixWindow },
  { name: 'matrix-units', prefers: [], ...matrixUnits },
];
// Windows of 11 keys take 19 µs in one kernel on an H100, 34 tiled.
const variants = attentionVariantsOf(attentionBackwardVariants, 11);

const storeWgsl = {
  plain: { joined: joinedWgsl, split: splitWgsl },
  quads: { joined: quadJoinedWgsl, split: quadSplitWgsl },
};

// A chunk below this costs more in partial sums than it gains.
const MIN_QUERIES_PER_CHUNK = 32;

export interface AttentionBackwardArguments {
  /** Queries [G, Lq, C]. */
  readonly q: GpuArray;
  /** Keys [G, Lk, C]. */
  readonly k: GpuArray;
  /** Values [G, Lk, C]. */
  readonly v: GpuArray;
  /** Result of the forward [G, Lq, C]. */
  readonly out: GpuArray;
  /** Written by the forward, contiguous [G, H, Lq]. */
  readonly logSumExp: GpuArray;
  /** Gradient of `out` [G, Lq, C]. */
  readonly dOut: GpuArray;
  /** Gradient of `q` [G, Lq, C], overwritten. */
  readonly dq: GpuArray;
  /** Gradient of `k` [G, Lk, C], overwritten. */
  readonly dk: GpuArray;
  /** Gradient of `v` [G, Lk, C], overwritten. */
  readonly dv: GpuArray;
  readonly heads: number;
  /** As given to the forward; default (C/H)^−½. */
  readonly scale?: number | undefined;
}

/**
 * Gradients of `attention`: dP = dOut·Vᵀ, dS = P ∘ (dP − rowsum(dOut ∘ out)), dQ = scale·dS·K, dK = scale·dSᵀ·Q,
 * dV = Pᵀ·dOut (Dao et al., 2022), with P made again from q, k and `logSumExp`. Views as in `attention`; dk and dv
 * may be slices of one buffer, which may also hold dq. No atomics: the same bits every time.
 * Throws `ShapeError` for shapes that do not agree or gradients in the buffer of an input.
 */
export function attentionBackward(runtime: Runtime, arguments_: AttentionBackwardArguments): void {
  const { q, k, v, out, logSumExp, dOut, dq, dk, dv, heads } = arguments_;
  const kernel = 'attention-backward';
  const extents = attentionExtents(kernel, q, k, v, heads);
  for (const [name, array] of Object.entries({ out, dOut, dq })) requireShape(kernel, name, array, q.shape);
  for (const [name, array] of Object.entries({ dk, dv })) requireShape(kernel, name, array, k.shape);
  requireStatistics(kernel, 'logSumExp', logSumExp, extents);
  requireSeparate(kernel, { q, k, v, out, logSumExp, dOut }, { dq, dk, dv });
  const scale = arguments_.scale ?? (extents.channels / heads) ** -0.5;
  const variant = selectAttention(runtime, kernel, variants, extents);
  const call: Call = { runtime, variant, extents, scale, costs: attentionBackwardCosts(extents) };
  const window = variant.window?.(runtime, extents);
  if (window) {
    const windowCall = { ...call, variant: variant.name, cost: attentionBackwardCost(extents) };
    if (windowGradients(windowCall, window, arguments_)) return;
  }
  const delta = runtime.empty([extents.groups, heads, extents.queries], 'f32', 'attention delta');
  queryGradient(call, arguments_, delta);
  keyGradients(call, arguments_, delta);
  runtime.release(delta);
}

/** What the three dispatches of one backward share. */
interface Call {
  readonly runtime: Runtime;
  readonly variant: AttentionBackwardVariant;
  readonly extents: AttentionExtents;
  readonly scale: number;
  readonly costs: ReturnType<typeof attentionBackwardCosts>;
}

function queryGradient(call: Call, arguments_: AttentionBackwardArguments, delta: GpuArray): void {
  const { runtime, variant, extents, scale } = call;
  const { q, k, v, out, logSumExp, dOut, dq } = arguments_;
  const views = { q, k, v, out, dOut, dq };
  const plan = variant.query({ runtime, extents, rows: 'queries' });
  const tiles = extents.groups * extents.heads * Math.ceil(extents.queries / plan.tileRows);
  const grid = runtime.linearGrid(Math.ceil(tiles / plan.tilesPerWorkgroup));
  const key = `attention-backward-query ${variant.name} ${logSumExp.offset} ${attentionKey(extents, scale, views)}`;
  const program = runtime.program(key, () => ({
    kernel: 'attention-backward-query',
    detail: detailOf(call),
    wgsl: plan.source(scale, views, {
      LOG_SUM_EXP_OFFSET: logSumExp.offset,
      TILES: tiles,
      GRID_X: grid[0],
    }),
    access: ['read_write', 'read_write', 'read', 'read', 'read', 'read', 'read', 'read'],
  }));
  runtime.dispatch(program, [dq, delta, q, k, v, out, dOut, logSumExp], grid, call.costs.query);
}

function keyGradients(call: Call, arguments_: AttentionBackwardArguments, delta: GpuArray): void {
  const { runtime, variant, extents, scale, costs } = call;
  const { groups, queries, keys, channels, heads } = extents;
  const { dk, dv } = arguments_;
  const plan = variant.key({ runtime, extents, rows: 'keys' });
  const blocks = Math.ceil(keys / plan.tileRows);
  const chunk = queriesPerChunk(variant, extents, blocks);
  const splits = Math.ceil(queries / chunk);
  const tiles = groups * heads * blocks * splits;
  const grid = runtime.linearGrid(Math.ceil(tiles / plan.tilesPerWorkgroup));
  const scratch =
    splits > 1 ? runtime.empty([splits, groups, keys, 2 * channels], 'f32', 'attention partials') : null;
  const strides = [keys * 2 * channels, 2 * channels, 1];
  const target = scratch
    ? {
        dk: new GpuArray(scratch.storage, 'f32', dk.shape, strides, 0),
        dv: new GpuArray(scratch.storage, 'f32', dv.shape, strides, channels),
      }
    : { dk, dv };
  const { q, k, v, dOut, logSumExp } = arguments_;
  const views = { q, k, v, dOut, ...target };
  const joined = target.dk.storage === target.dv.storage;
  const key =
    `attention-backward-key ${variant.name} ${logSumExp.offset} ${chunk} ${joined} ` +
    attentionKey(extents, scale, views);
  const program = runtime.program(key, () => ({
    kernel: 'attention-backward-key',
    detail: `${detailOf(call)} splits=${splits}`,
    wgsl: [
      plan.source(scale, views, {
        LOG_SUM_EXP_OFFSET: logSumExp.offset,
        TILES: tiles,
        GRID_X: grid[0],
        SPLITS: splits,
        CHUNK: chunk,
        SPLIT_STRIDE: scratch ? (groups * keys * 2 * channels) / laneWidth(extents, Object.values(views)) : 0,
      }),
      storeWgsl[plan.storesQuads ? 'quads' : 'plain'][joined ? 'joined' : 'split'],
    ].join('\n'),
    access: ['read_write', joined ? 'read' : 'read_write', 'read', 'read', 'read', 'read', 'read', 'read'],
  }));
  runtime.dispatch(
    program,
    [target.dk, joined ? q : target.dv, q, k, v, dOut, logSumExp, delta],
    grid,
    scratch ? { ...costs.key, bytesWritten: 0 } : costs.key,
  );
  if (scratch) {
    reduce(call, scratch, dk, dv);
    runtime.release(scratch);
  }
}

/** Few keys leave few tiles: then the queries are summed in chunks. */
function queriesPerChunk(
  variant: AttentionBackwardVariant,
  extents: AttentionExtents,
  blocks: number,
): number {
  const { groups, heads, queries } = extents;
  const splits = Math.min(
    Math.ceil(variant.tilesWanted / (groups * heads * blocks)),
    Math.max(1, Math.floor(queries / MIN_QUERIES_PER_CHUNK)),
  );
  return Math.ceil(queries / splits);
}

function reduce(call: Call, partials: GpuArray, dk: GpuArray, dv: GpuArray): void {
  const { runtime, extents, scale, costs } = call;
  const { groups, keys, channels } = extents;
  const splits = partials.shape[0]!;
  const views = { dk, dv };
  const joined = dk.storage === dv.storage;
  const width = laneWidth(extents, [dk, dv]);
  const count = (groups * keys * 2 * channels) / width;
  const grid = runtime.linearGrid(Math.ceil(count / 64));
  const program = runtime.program(
    `attention-backward-reduce ${splits} ${joined} ${attentionKey(extents, scale, views)}`,
    () => ({
      kernel: 'attention-backward-reduce',
      detail: `${detailOf(call)} splits=${splits}`,
      wgsl:
        attentionHeader(extents, scale, views) +
        constantHeader({ COUNT: count, SPLITS: splits, CHANNEL_LANES: channels / width, GRID_X: grid[0] }) +
        (joined ? joinedWgsl : splitWgsl) +
        reduceWgsl,
      access: ['read_write', joined ? 'read' : 'read_write', 'read'],
    }),
  );
  runtime.dispatch(program, [dk, joined ? partials : dv, partials], grid, {
    ...costs.reduce,
    bytesWritten: costs.key.bytesWritten,
  });
}

function detailOf({ variant, extents }: Call): string {
  const { groups, queries, keys, channels, heads } = extents;
  return `${variant.name} G=${groups} Lq=${queries} Lk=${keys} C=${channels} H=${heads}`;
}
