import type { GpuArray } from '../runtime/gpu-array.js';
import type { Runtime } from '../runtime/runtime.js';
import type { WgslConstants } from '../runtime/wgsl.js';
import { laneWidth, type AttentionExtents } from './attention-layout.js';

/**
 * How the rows that a kernel produces are dealt out. `row-blocks`: four rows an invocation, eight invocations a
 * workgroup. `shared-rows`: 64 invocations a workgroup, several of which share two rows by channels.
 */
export type AttentionTiling = 'row-blocks' | 'shared-rows';

const SHARED_INVOCATIONS = 64;
const SHARED_ROWS = 2;

/** Rows of one tile; a tile belongs to one head of one group. */
export function tileRows(tiling: AttentionTiling, extents: AttentionExtents): number {
  return tiling === 'row-blocks' ? 4 : (SHARED_ROWS * SHARED_INVOCATIONS) / parts(extents);
}

export function tilesPerWorkgroup(tiling: AttentionTiling): number {
  return tiling === 'row-blocks' ? 8 : 1;
}

/** Constants that only one way of tiling needs. */
export function tilingConstants(
  runtime: Runtime,
  tiling: AttentionTiling,
  extents: AttentionExtents,
  views: readonly GpuArray[],
): WgslConstants {
  if (tiling === 'row-blocks') return {};
  const headLanes = extents.channels / extents.heads / laneWidth(extents, views);
  return {
    PARTS: parts(extents),
    PART_LANES: Math.ceil(headLanes / parts(extents)),
    KEEP_LOOPS: runtime.adapter.isSoftware,
  };
}

/** Invocations that share a row: at most 16 channels each, so that no kernel runs out of registers. */
function parts({ channels, heads }: AttentionExtents): number {
  return channels / heads <= 64 ? 4 : 8;
}
