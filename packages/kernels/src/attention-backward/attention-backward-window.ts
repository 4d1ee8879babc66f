import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import type { Runtime } from '../runtime/runtime.js';
import type { AttentionBackwardArguments } from './attention-backward.js';
import { attentionKey, type AttentionExtents } from '../attention/attention-layout.js';
import type { WindowPlan } from './attention-window-plan.js';
import gradients1Wgsl from './window-gradients-1.wgsl';
import gradients2Wgsl from './window-gradients-2.wgsl';
import gradients3Wgsl from './window-gradients-3.wgsl';

const INPUTS = 6;

/** What a dispatch of all gradients is of. */
export interface WindowCall {
  readonly runtime: Runtime;
  readonly variant: string;
  readonly extents: AttentionExtents;
  readonly scale: number;
  readonly cost: Cost;
}

/** All gradients in one dispatch; false where the device cannot bind the arrays that they are in. */
export function windowGradients(
  { runtime, variant, extents, scale, cost }: WindowCall,
  plan: WindowPlan,
  { q, k, v, out, dOut, logSumExp, dq, dk, dv }: AttentionBackwardArguments,
): boolean {
  const targets = targetsOf(dq, dk, dv);
  if (!targets) return false;
  if (INPUTS + targets.arrays.length > runtime.device.limits.maxStorageBuffersPerShaderStage) return false;
  const { groups, heads, queries, keys, channels } = extents;
  const views = { q, k, v, out, dOut, dq, dk, dv };
  const tiles = groups * heads;
  const grid = runtime.linearGrid(Math.ceil(tiles / plan.headsPerWorkgroup));
  const key =
    `attention-backward-window ${variant} ${logSumExp.offset} ${targets.arrays.length} ` +
    attentionKey(extents, scale, views);
  const program = runtime.program(key, () => ({
    kernel: 'attention-backward-window',
    detail: `${variant} G=${groups} Lq=${queries} Lk=${keys} C=${channels} H=${heads}`,
    wgsl: plan.source(
      scale,
      views,
      { LOG_SUM_EXP_OFFSET: logSumExp.offset, TILES: tiles, GRID_X: grid[0] },
      targets.wgsl,
    ),
    access: [...Array<'read'>(INPUTS).fill('read'), ...targets.arrays.map(() => 'read_write' as const)],
  }));
  runtime.dispatch(program, [q, k, v, out, dOut, logSumExp, ...targets.arrays], grid, cost);
  return true;
}

/** The buffers that are written, each bound once, and the file that knows what is in which. */
function targetsOf(
  dq: GpuArray,
  dk: GpuArray,
  dv: GpuArray,
): { readonly arrays: readonly GpuArray[]; readonly wgsl: string } | undefined {
  const [withQuery, together] = [dq.storage === dk.storage, dk.storage === dv.storage];
  if (withQuery && together) return { arrays: [dq], wgsl: gradients1Wgsl };
  if (together) return { arrays: [dq, dk], wgsl: gradients2Wgsl };
  return withQuery || dq.storage === dv.storage ? undefined : { arrays: [dq, dk, dv], wgsl: gradients3Wgsl };
}
