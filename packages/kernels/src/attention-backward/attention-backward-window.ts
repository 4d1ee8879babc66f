import { attentionData, elementWidth, type AttentionExtents } from '../attention/attention-layout.js';
import { headConstants } from '../attention/attention-plan.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Runtime } from '../runtime/runtime.js';
import type { BackwardCall } from './attention-backward-arguments.js';
import { windowGradientCost } from './attention-backward-cost.js';
import arraysWgsl from './attention-backward-window-arrays.wgsl';
import type { WindowPlan } from './attention-window-plan.js';

/**
 * dk and dv for the one kernel that makes all gradients, each left out where the array before it has its buffer, as
 * attention-gradient-stores.wgsl has it. Undefined where that file has no such case.
 */
function targetsOf(dq: GpuArray, dk: GpuArray, dv: GpuArray) {
  const [dkIsApart, dvIsApart] = [dk.storage !== dq.storage, dv.storage !== dk.storage];
  if (dkIsApart && dvIsApart && dv.storage === dq.storage) return undefined;
  return { dk: dkIsApart ? dk : undefined, dv: dvIsApart ? dv : undefined };
}

/** Chunks that the queries of a window are shared out in. */
export function chunksOf(
  { queriesPerWorkgroup = Infinity }: WindowPlan,
  { queries }: AttentionExtents,
): number {
  return Math.max(1, Math.ceil(queries / queriesPerWorkgroup));
}

/**
 * All gradients in one dispatch, dk and dv as partial sums [chunks, G, Lk, 2C] where those are given; false where the
 * device cannot bind the arrays that they are in.
 */
export function windowGradients(
  runtime: Runtime,
  variant: string,
  plan: WindowPlan,
  { arguments: { q, k, v, out, dOut, logSumExp, dq, dk, dv }, extents, scale }: BackwardCall,
  partialSums?: GpuArray,
): boolean {
  const targets = partialSums ? { dk: undefined, dv: undefined } : targetsOf(dq, dk, dv);
  if (!targets) return false;
  const arrays = {
    ...{ dq, ...targets, q, k, v },
    ...{ out: plan.readsOut ? out : undefined, d_out: dOut, log_sum_exp: logSumExp },
    partial_sums: partialSums,
  };
  const bound = Object.values(arrays).filter(Boolean).length;
  if (bound > runtime.device.limits.maxStorageBuffersPerShaderStage) return false;
  const apart = { Q: q, K: k, V: v, OUT: out, D_OUT: dOut, DQ: dq };
  const views = partialSums ? apart : { ...apart, DK: dk, DV: dv };
  const width = elementWidth(extents, views);
  const { groups, heads } = extents;
  const splits = chunksOf(plan, extents);
  const tiles = groups * heads * splits;
  const grid = runtime.linearGrid(Math.ceil(tiles / plan.headsPerWorkgroup));
  runtime.run({
    kernel: 'attention-backward-window',
    variant,
    wgsl: [arraysWgsl, ...plan.wgsl],
    constants: { ...headConstants(extents, width), ...plan.constants },
    data: {
      ...attentionData(extents, scale, width, views),
      LOG_SUM_EXP_OFFSET: logSumExp.offset,
      TILES: tiles,
      GRID_X: grid[0],
      ...(plan.queriesPerWorkgroup && { GROUPS: groups, SPLITS: splits, CHUNK: plan.queriesPerWorkgroup }),
    },
    arrays,
    workgroups: grid,
    cost: windowGradientCost(extents, { parts: splits, readsOut: plan.readsOut }),
  });
  return true;
}
