import { matrixDevice } from '../matrix-units/matrix-device.js';
import type { Runtime } from '../runtime/runtime.js';
import type { WgslConstants } from '../runtime/wgsl.js';
import windowMatrixWgsl from './attention-backward-window-matrix.wgsl';
import windowTiledWgsl from './attention-backward-window-tiled.wgsl';
import windowWgsl from './attention-backward-window.wgsl';
import type { AttentionExtents, AttentionViews } from '../attention/attention-layout.js';
import { windowTiling } from '../attention/attention-matrix-tiling.js';
import { matrixSource, quadsOf, quadSource } from '../attention/attention-plan.js';

/** A kernel that makes all gradients of a head of a group. */
export interface WindowPlan {
  /** Heads, of one group or several, that a workgroup takes. */
  readonly headsPerWorkgroup: number;
  /** The whole WGSL, header included; `stores` says what is in which buffer. */
  source(scale: number, views: AttentionViews, constants: WgslConstants, stores: string): string;
}

/** Undefined where the extents, or what the device has, are not for the kernel. Called for every dispatch. */
export type WindowPlanner = (runtime: Runtime, extents: AttentionExtents) => WindowPlan | undefined;

/**
 * More would not fit the registers and the workgroup memory of attention-backward-window-tiled.wgsl. The windows of
 * LGI-Former's pre-training have 8 and 11.
 */
export const MOST_WINDOW_KEYS = 16;

/**
 * The queries of a head follow one after the other, in one workgroup or invocation: with more, blocks of queries as
 * workgroups of their own keep a device busier than one dispatch less is worth. The local-global step of LGI-Former has
 * 80 in pre-training, for this kernel, and 800 in fine-tuning, for the others.
 */
export const MOST_WINDOW_QUERIES = 128;

function isWindow({ queries, keys }: AttentionExtents): boolean {
  return keys <= MOST_WINDOW_KEYS && queries <= MOST_WINDOW_QUERIES;
}

/**
 * attention-backward-window.wgsl. Not for GPUs: an invocation's 10 to 40 KiB of private memory, times all that a large
 * one has room for, would be gigabytes.
 */
export const privateWindow: WindowPlanner = ({ adapter }, extents) =>
  adapter.isSoftware && isWindow(extents)
    ? {
        headsPerWorkgroup: 8,
        source: (scale, views, constants, stores) =>
          quadSource(extents, scale, views, windowWgsl + stores, {
            ...constants,
            DEPTH: 4 * quadsOf(extents),
          }),
      }
    : undefined;

/** attention-backward-window-tiled.wgsl. */
export const sharedWindow: WindowPlanner = (runtime, extents) => {
  if (!isWindow(extents)) return undefined;
  const { workgroupBytes, ...tiling } = sharedWindowTiling(extents);
  const { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } = runtime.device.limits;
  if (workgroupBytes > maxComputeWorkgroupStorageSize) return undefined;
  if (tiling.INVOCATIONS > maxComputeInvocationsPerWorkgroup) return undefined;
  return {
    headsPerWorkgroup: 1,
    source: (scale, views, constants, stores) =>
      quadSource(extents, scale, views, windowTiledWgsl + stores, {
        ...constants,
        ...tiling,
        KEEP_LOOPS: runtime.adapter.isSoftware,
      }),
  };
};

/** attention-backward-window-matrix.wgsl, which has use for any number of keys that a workgroup can hold. */
export const matrixWindow: WindowPlanner = (runtime, extents) => {
  const tiling = windowTiling(extents, matrixDevice(runtime));
  return (
    tiling && {
      headsPerWorkgroup: 1,
      source: (scale, views, constants, stores) =>
        matrixSource(runtime, extents, tiling, scale, views, windowMatrixWgsl + stores, {
          ...constants,
          TILE_Q: tiling.step,
        }),
    }
  );
};

const LEAST_INVOCATIONS = 64;
// What the kernel has names for: 4 quads of k, v, dk and dv each, 64 registers.
const MOST_PART_QUADS = 4;
// TILE of the kernel.
const TILE_QUERIES = 8;

/** The constants of attention-backward-window-tiled.wgsl for a window, and what its arrays take. */
export function sharedWindowTiling(extents: AttentionExtents) {
  const quads = quadsOf(extents);
  const KEYS = extents.keys <= 8 ? 8 : 16;
  const least = LEAST_INVOCATIONS / KEYS;
  const PARTS = quads <= MOST_PART_QUADS * least ? least : 2 * least;
  const PART_QUADS = Math.ceil(quads / PARTS);
  const width = PARTS * PART_QUADS;
  const rows = 16 * (extents.keys + 2 * TILE_QUERIES) * (width + 1);
  const sums = 4 * TILE_QUERIES * (width + 1 + 2);
  const pairs = 8 * 2 * KEYS * ((TILE_QUERIES / 2) * (PARTS + 1) + TILE_QUERIES / 2 + 1);
  return {
    KEYS,
    PARTS,
    PART_QUADS,
    INVOCATIONS: KEYS * PARTS,
    DEPTH: 4 * width,
    workgroupBytes: rows + sums + pairs,
  };
}
