import { matrixDevice } from '../matrix-units/matrix-device.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import type { Runtime } from '../runtime/runtime.js';
import windowWgsl from './attention-backward-window-matrix.wgsl';
import type { AttentionBackwardArguments } from './attention-backward.js';
import { attentionKey, type AttentionExtents } from './attention-layout.js';
import { windowTiling } from './attention-matrix-tiling.js';
import { matrixSource } from './attention-plan.js';
import gradients1Wgsl from './window-gradients-1.wgsl';
import gradients2Wgsl from './window-gradients-2.wgsl';
import gradients3Wgsl from './window-gradients-3.wgsl';

const INPUTS = 6;

/**
 * All gradients in one dispatch, where a workgroup can hold all keys of a head; false where it cannot, or cannot bind
 * the arrays that the gradients are in.
 */
export function windowGradients(
  runtime: Runtime,
  extents: AttentionExtents,
  scale: number,
  { q, k, v, out, dOut, logSumExp, dq, dk, dv }: AttentionBackwardArguments,
  cost: Cost,
): boolean {
  const targets = targetsOf(dq, dk, dv);
  const tiling = windowTiling(extents, matrixDevice(runtime));
  if (!tiling || !targets) return false;
  if (INPUTS + targets.arrays.length > runtime.device.limits.maxStorageBuffersPerShaderStage) return false;
  const { groups, heads, queries, keys, channels } = extents;
  const views = { q, k, v, out, dOut, dq, dk, dv };
  const tiles = groups * heads;
  const grid = runtime.linearGrid(tiles);
  const key =
    `attention-backward-window ${logSumExp.offset} ${targets.arrays.length} ` +
    attentionKey(extents, scale, views);
  const program = runtime.program(key, () => ({
    kernel: 'attention-backward-window',
    detail: `matrix-units-window G=${groups} Lq=${queries} Lk=${keys} C=${channels} H=${heads}`,
    wgsl: matrixSource(runtime, extents, tiling, scale, views, windowWgsl + targets.wgsl, {
      LOG_SUM_EXP_OFFSET: logSumExp.offset,
      TILES: tiles,
      GRID_X: grid[0],
      TILE_Q: tiling.step,
    }),
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
