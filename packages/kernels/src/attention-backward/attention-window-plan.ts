import { headDimension, type AttentionExtents } from '../attention/attention-layout.js';
import { windowTiling } from '../attention/attention-matrix-tiling.js';
import { depthOf, matrixConstants, matrixFiles, type AttentionText } from '../attention/attention-plan.js';
import rowsWgsl from '../attention/attention-rows.wgsl';
import exponentialWgsl from '../math/exponential.wgsl';
import { matrixDevice } from '../matrix-units/matrix-device.js';
import type { Runtime } from '../runtime/runtime.js';
import windowMatrixWgsl from './attention-backward-window-matrix.wgsl';
import windowTiledWgsl from './attention-backward-window-tiled.wgsl';
import windowWgsl from './attention-backward-window.wgsl';
import storesWgsl from './attention-gradient-stores.wgsl';

/** A kernel that makes all gradients of a head of a group. */
export interface WindowPlan extends AttentionText {
  /** Heads, of one group or several, that a workgroup takes. */
  readonly headsPerWorkgroup: number;
  /** Queries that a workgroup takes; all where it is not given. */
  readonly queriesPerWorkgroup?: number;
  readonly readsOut: boolean;
}

/** Undefined where the extents are not a window, or not one for the device. Called for every dispatch. */
export type WindowPlanner = (runtime: Runtime, extents: AttentionExtents) => WindowPlan | undefined;

/**
 * More would not fit the registers and the workgroup memory of attention-backward-window-tiled.wgsl. The windows of
 * LGI-Former's pre-training have 8 and 11.
 */
export const MOST_WINDOW_KEYS = 16;

/**
 * The queries of a head follow one after the other, in one invocation, or in one workgroup on matrix units: with more,
 * a device is kept busier by blocks of queries as workgroups of their own. attention-backward-window-tiled.wgsl takes
 * more in chunks. The local-global step of LGI-Former has 80 in pre-training and 800 in fine-tuning.
 */
export const MOST_WINDOW_QUERIES = 128;

// With more, the queries are shared out in chunks, whose sums for the keys another kernel adds up. A chunk below this
// costs more in partial sums than it gains.
const CHUNKS = { wanted: 1024, leastQueries: 32 };

function isWindow({ queries, keys }: AttentionExtents): boolean {
  return keys <= MOST_WINDOW_KEYS && queries <= MOST_WINDOW_QUERIES;
}

// Private memory is sized for classes, so that windows share programs and small ones clear little. Clearing is written
// out element by element: llvmpipe compiles 16 keys and 128 queries ten times as long as 16 and 32. The windows of
// LGI-Former's pre-training have 8 and 11 keys, and as many queries or 80.
const FEW_KEYS = 8;
const KEY_CLASSES = [FEW_KEYS, 12, MOST_WINDOW_KEYS];
const QUERY_CLASSES = [12, 32, MOST_WINDOW_QUERIES];
const windowFiles = [exponentialWgsl, rowsWgsl, storesWgsl, windowWgsl];

/**
 * attention-backward-window.wgsl. Not for GPUs: an invocation's 10 to 40 KiB of private memory, times all that a large
 * one has room for, would be gigabytes.
 */
export const privateWindow: WindowPlanner = ({ adapter }, extents) =>
  adapter.isSoftware && isWindow(extents)
    ? {
        headsPerWorkgroup: 8,
        readsOut: false,
        wgsl: windowFiles,
        constants: {
          KEYS: KEY_CLASSES.find((most) => extents.keys <= most)!,
          QUERIES: QUERY_CLASSES.find((most) => extents.queries <= most)!,
          DEPTH: depthOf(extents, 4),
          KEEP_LOOPS: true,
        },
      }
    : undefined;

const windowTiledFiles = [exponentialWgsl, rowsWgsl, storesWgsl, windowTiledWgsl];

/** attention-backward-window-tiled.wgsl. */
export const sharedWindow: WindowPlanner = (runtime, extents) => {
  if (extents.keys > MOST_WINDOW_KEYS) return undefined;
  const { workgroupBytes, ...tiling } = sharedWindowTiling(extents);
  const { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } = runtime.device.limits;
  if (workgroupBytes > maxComputeWorkgroupStorageSize) return undefined;
  if (tiling.INVOCATIONS > maxComputeInvocationsPerWorkgroup) return undefined;
  return {
    headsPerWorkgroup: 1,
    readsOut: true,
    queriesPerWorkgroup: extents.queries > MOST_WINDOW_QUERIES ? chunkOf(extents) : extents.queries,
    wgsl: windowTiledFiles,
    constants: { ...tiling, KEEP_LOOPS: runtime.adapter.isSoftware },
  };
};

/** Queries of a workgroup that shares a head with others: whole tiles. */
function chunkOf({ groups, heads, queries }: AttentionExtents): number {
  const chunks = Math.min(
    Math.ceil(CHUNKS.wanted / (groups * heads)),
    Math.floor(queries / CHUNKS.leastQueries),
  );
  return Math.ceil(queries / chunks / TILE_QUERIES) * TILE_QUERIES;
}

const windowMatrixFiles = matrixFiles(storesWgsl, windowMatrixWgsl);

/**
 * attention-backward-window-matrix.wgsl, which takes as many keys as a workgroup can hold: with 48 KiB of memory and a
 * head dimension of 64, 112 of them.
 */
export const matrixWindow: WindowPlanner = (runtime, extents) => {
  if (extents.queries > MOST_WINDOW_QUERIES) return undefined;
  const tiling = windowTiling(extents, matrixDevice(runtime));
  return (
    tiling && {
      headsPerWorkgroup: 1,
      readsOut: true,
      wgsl: windowMatrixFiles,
      constants: matrixConstants(runtime, tiling, 'TILE_Q'),
    }
  );
};

const LEAST_INVOCATIONS = 64;
// What the kernel has names for: 4 vec4s of k, v, dk and dv each, 64 registers.
const MOST_PART_VEC4S = 4;
// TILE of the kernel.
const TILE_QUERIES = 8;

/** The constants of attention-backward-window-tiled.wgsl for a window, and what its arrays take. */
export function sharedWindowTiling(extents: AttentionExtents) {
  const vec4s = Math.ceil(headDimension(extents) / 4);
  const KEYS = extents.keys <= FEW_KEYS ? FEW_KEYS : MOST_WINDOW_KEYS;
  const least = LEAST_INVOCATIONS / KEYS;
  const PARTS = vec4s <= MOST_PART_VEC4S * least ? least : 2 * least;
  const PART_VEC4S = Math.ceil(vec4s / PARTS);
  const width = PARTS * PART_VEC4S;
  const rows = 16 * (KEYS + 2 * TILE_QUERIES) * (width + 1);
  const sums = 4 * TILE_QUERIES * (width + 1 + 2);
  const pairs = 8 * 2 * KEYS * ((TILE_QUERIES / 2) * (PARTS + 1) + TILE_QUERIES / 2 + 1);
  return {
    KEYS,
    PARTS,
    PART_VEC4S,
    INVOCATIONS: KEYS * PARTS,
    DEPTH: 4 * width,
    workgroupBytes: rows + sums + pairs,
  };
}
