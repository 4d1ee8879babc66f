import { knownSubgroupSize } from '../runtime/adapter.js';
import { matrixDevice } from '../matrix-units/matrix-device.js';
import type { Runtime } from '../runtime/runtime.js';
import { selectVariant, type Variant } from '../runtime/variants.js';
import type { WgslConstants } from '../runtime/wgsl.js';
import sharedRowsWgsl from '../subgroups/shared-rows.wgsl';
import {
  attentionClass,
  attentionHeader,
  laneWidth,
  type AttentionExtents,
  type AttentionViews,
} from './attention-layout.js';
import productsWgsl from './attention-subgroup-products.wgsl';
import copiesWgsl from './attention-matrix-copies.wgsl';
import operationsWgsl from './attention-matrix-operations.wgsl';
import {
  attentionMatrixTiling,
  matrixTilingConstants,
  paysOnMatrixUnits,
  type AttentionMatrixExtents,
  type AttentionMatrixKernel,
  type AttentionMatrixTiling,
} from './attention-matrix-tiling.js';
import { tileRows, tilingConstants, tilesPerWorkgroup, type AttentionTiling } from './attention-tiling.js';
import quads1Wgsl from './quads-1.wgsl';
import quads4Wgsl from './quads-4.wgsl';

/** What a kernel is asked to do, as far as the division of its work depends on it. */
export interface AttentionTask {
  readonly runtime: Runtime;
  readonly extents: AttentionExtents;
  /** Rows that the kernel produces: as many as there are queries, or keys. */
  readonly rows: 'queries' | 'keys';
}

/** A kernel for a task: how the rows that it produces are dealt out, and its text. */
export interface AttentionPlan {
  /** Rows of one tile; a tile belongs to one head of one group. */
  readonly tileRows: number;
  readonly tilesPerWorkgroup: number;
  /** Whether it stores four channels at a time, whatever a lane is. */
  readonly storesQuads: boolean;
  /** The whole WGSL, header included, but for files that depend on the arrays. */
  source(scale: number, views: AttentionViews, constants: WgslConstants): string;
}

/** Chooses how a kernel does a task. Called for every dispatch. */
export type AttentionPlanner = (task: AttentionTask) => AttentionPlan;

/** A kernel without matrix units. */
export function plainPlanner(wgsl: string, tiling: AttentionTiling): AttentionPlanner {
  return ({ runtime, extents }) => ({
    tileRows: tileRows(tiling, extents),
    tilesPerWorkgroup: tilesPerWorkgroup(tiling),
    storesQuads: false,
    source: (scale, views, constants) =>
      attentionHeader(extents, scale, views, {
        ...constants,
        ...tilingConstants(runtime, tiling, extents, Object.values(views)),
      }) + wgsl,
  });
}

const BROADCAST_ROWS = { few: 8, many: 16 };
// A forward with 8 keys, of 32 that a subgroup of 8 takes at a time, needs half as long again as with 4 rows an
// invocation; with 11 both are equal.
const FEW_KEYS = 8;

/**
 * A kernel in which a subgroup, which is the workgroup, shares what it loads. Few keys are left to `forFewKeys` if that
 * is given.
 */
export function broadcastPlanner(wgsl: string, forFewKeys?: AttentionPlanner): AttentionPlanner {
  const texts = [sharedRowsWgsl, productsWgsl, wgsl].join('\n');
  return (task) => {
    const { runtime, extents, rows } = task;
    if (forFewKeys && extents.keys <= FEW_KEYS) return forFewKeys(task);
    const kept = rows === 'queries' ? extents.queries : extents.keys;
    const tileRows = kept <= BROADCAST_ROWS.few ? BROADCAST_ROWS.few : BROADCAST_ROWS.many;
    const lanes = knownSubgroupSize(runtime.adapter)!;
    const sizes = { LANES: lanes, ROWS: tileRows, DEPTH: 4 * quadsOf(extents) };
    return {
      tileRows,
      tilesPerWorkgroup: 1,
      storesQuads: true,
      source: (scale, views, constants) =>
        `enable subgroups;\n${quadSource(extents, scale, views, texts, { ...constants, ...sizes })}`,
    };
  };
}

/** What all variants that share within subgroups have in common. */
export const broadcastVariant = {
  name: 'subgroup-broadcast',
  needs: ['subgroups'],
  prefers: 'software',
  canRun: (runtime: Runtime) => knownSubgroupSize(runtime.adapter) !== undefined,
} as const;

/** Channels of a head in fours, the last of them filled up. */
export function quadsOf({ channels, heads }: AttentionExtents): number {
  return Math.ceil(channels / heads / 4);
}

/** The whole text of a kernel that takes channels by fours, whatever the lanes are. */
export function quadSource(
  extents: AttentionExtents,
  scale: number,
  views: AttentionViews,
  wgsl: string,
  constants: WgslConstants,
): string {
  return [attentionHeader(extents, scale, views, constants), quadsWgsl(extents, views), wgsl].join('\n');
}

// How such a kernel reaches them.
function quadsWgsl(extents: AttentionExtents, views: AttentionViews): string {
  return laneWidth(extents, Object.values(views)) === 4 ? quads4Wgsl : quads1Wgsl;
}

const ENABLE = ['f16', 'subgroups', 'chromium_experimental_subgroup_matrix']
  .map((extension) => `enable ${extension};\n`)
  .join('');

/**
 * A kernel on matrix units, whose step is called TILE_K when it passes over keys, else TILE_Q. Heads too wide for the
 * device's workgroup memory are left to `otherwise`.
 */
export function matrixPlanner(
  wgsl: string,
  kernel: AttentionMatrixKernel,
  otherwise: AttentionPlanner,
): AttentionPlanner {
  return (task) => {
    const { runtime, extents, rows } = task;
    const tiling = attentionMatrixTiling(matrixExtents(extents, rows), matrixDevice(runtime), kernel);
    if (!tiling) return otherwise(task);
    return {
      tileRows: tiling.rows,
      tilesPerWorkgroup: 1,
      storesQuads: true,
      source: (scale, views, constants) =>
        matrixSource(runtime, extents, tiling, scale, views, wgsl, {
          ...constants,
          [rows === 'queries' ? 'TILE_K' : 'TILE_Q']: tiling.step,
        }),
    };
  };
}

/** The whole text of a kernel on matrix units. */
export function matrixSource(
  runtime: Runtime,
  extents: AttentionExtents,
  tiling: AttentionMatrixTiling,
  scale: number,
  views: AttentionViews,
  wgsl: string,
  constants: WgslConstants,
): string {
  const header = attentionHeader(extents, scale, views, {
    ...constants,
    ...matrixTilingConstants(tiling, runtime.adapter.isSoftware),
  });
  return [ENABLE + header, operationsWgsl, quadsWgsl(extents, views), copiesWgsl, wgsl].join('\n');
}

function matrixExtents(
  { queries, keys, channels, heads }: AttentionExtents,
  rows: 'queries' | 'keys',
): AttentionMatrixExtents {
  const headDimension = channels / heads;
  return rows === 'queries'
    ? { kept: queries, passed: keys, headDimension }
    : { kept: keys, passed: queries, headDimension };
}

// What a device must hold at least for a kernel of any use: one strip of a narrow head.
const leastStrip: AttentionMatrixExtents = { kept: 1, passed: 1, headDimension: 32 };

/** The part of a variant on matrix units that all kernels share; `kernels` are those that it is made of. */
export function matrixVariant(...kernels: readonly AttentionMatrixKernel[]) {
  return {
    needs: ['chromium-experimental-subgroup-matrix', 'shader-f16', 'subgroups'],
    precision: 'f16',
    canRun: (runtime: Runtime) =>
      kernels.every(
        (kernel) => attentionMatrixTiling(leastStrip, matrixDevice(runtime), kernel) !== undefined,
      ),
  } as const;
}

/** Variants of a kernel, and those of them that leave f32 as it is. */
export interface AttentionVariants<V extends Variant> {
  readonly all: readonly V[];
  readonly exact: readonly V[];
  /** The fewest keys or queries for which matrix units pay. */
  readonly fewestRows: number;
}

export function attentionVariantsOf<V extends Variant>(
  all: readonly V[],
  fewestRows: number,
): AttentionVariants<V> {
  return { all, exact: all.filter(({ precision }) => precision === undefined), fewestRows };
}

/**
 * The variant for a shape: as `selectVariant` has it, but matrix units only where they pay, unless a variant is forced.
 * They do every shape, so that tests run them on all cases, and benchmarks can show where the line should be.
 */
export function selectAttention<V extends Variant>(
  runtime: Runtime,
  kernel: string,
  { all, exact, fewestRows }: AttentionVariants<V>,
  extents: AttentionExtents,
): V {
  const declined =
    runtime.precision === 'f16' &&
    !runtime.forcedVariants.has(kernel) &&
    !paysOnMatrixUnits(extents, runtime.adapter.matrixUnits ?? [], fewestRows);
  return selectVariant(runtime, kernel, declined ? exact : all, attentionClass(extents));
}
