import exponentialWgsl from '../math/exponential.wgsl';
import { matrixDevice } from '../matrix-units/matrix-device.js';
import { knownSubgroupSize } from '../runtime/adapter.js';
import type { DType } from '../runtime/gpu-array.js';
import type { Runtime } from '../runtime/runtime.js';
import { selectVariant, type Variant } from '../runtime/variants.js';
import type { WgslConstants } from '../runtime/wgsl.js';
import sharedRowsWgsl from '../subgroups/shared-rows.wgsl';
import { attentionClass, headDimension, type AttentionExtents } from './attention-layout.js';
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
import rowsWgsl from './attention-rows.wgsl';
import productsWgsl from './attention-subgroup-products.wgsl';
import partsWgsl from './attention-tiled-parts.wgsl';

/** What a kernel is asked to do, as far as the division of its work depends on it. */
export interface AttentionTask {
  readonly runtime: Runtime;
  readonly extents: AttentionExtents;
  /** Rows that the kernel produces: as many as there are queries, or keys. */
  readonly rows: 'queries' | 'keys';
}

/** The text of a kernel: files, and constants besides those that all have. */
export interface AttentionText {
  readonly wgsl: readonly string[];
  readonly constants: WgslConstants;
}

/** A kernel for a task: how many rows a workgroup produces, all of one head of one group, and its text. */
export interface AttentionPlan extends AttentionText {
  readonly blockRows: number;
}

/** Chooses how a kernel does a task. Called for every dispatch. */
export type AttentionPlanner = (task: AttentionTask) => AttentionPlan;

/** The constants that every kernel has; by default what it writes is of the dtype of what it reads. */
export function headConstants(
  extents: AttentionExtents,
  width: 1 | 4,
  { inputs = extents.dtype, results = extents.dtype }: { inputs?: DType; results?: DType } = {},
): WgslConstants {
  return {
    HALF_INPUTS: inputs === 'f16',
    HALF_RESULTS: results === 'f16',
    WIDTH: width,
    HEAD_DIMENSION: headDimension(extents),
  };
}

/** Channels of a head, filled up to whole groups of `multiple`. */
export function depthOf(extents: AttentionExtents, multiple: number): number {
  return Math.ceil(headDimension(extents) / multiple) * multiple;
}

const TILED_INVOCATIONS = 64;
const TILED_ROWS = 2;

/** A kernel of attention-tiled-parts.wgsl that exchanges that many products of rows. */
export function tiledPlanner(wgsl: string, products: 1 | 2): AttentionPlanner {
  const files = [exponentialWgsl, rowsWgsl, partsWgsl, wgsl];
  return ({ runtime, extents }) => {
    // At most 16 channels an invocation, so that no kernel runs out of registers.
    const parts = headDimension(extents) <= 64 ? 4 : 8;
    return {
      blockRows: (TILED_ROWS * TILED_INVOCATIONS) / parts,
      wgsl: files,
      constants: {
        PARTS: parts,
        PRODUCTS: products,
        DEPTH: depthOf(extents, 4 * parts),
        KEEP_LOOPS: runtime.adapter.isSoftware,
      },
    };
  };
}

const BROADCAST_ROWS = { few: 8, many: 16 };

/** A kernel of attention-subgroup-products.wgsl: a subgroup, which is the workgroup, shares what it loads. */
export function broadcastPlanner(wgsl: string): AttentionPlanner {
  const files = broadcastFiles(wgsl);
  return ({ runtime, extents, rows }) => {
    const blockRows = broadcastRows(rows === 'queries' ? extents.queries : extents.keys);
    return { blockRows, wgsl: files, constants: broadcastConstants(runtime, extents, blockRows) };
  };
}

/** attention-few-keys.wgsl where the subgroup can hold all keys, and `otherwise` where there are more. */
export function fewKeysPlanner(wgsl: string, otherwise: AttentionPlanner): AttentionPlanner {
  const files = broadcastFiles(wgsl);
  return (task) => {
    const { runtime, extents } = task;
    if (extents.keys > BROADCAST_ROWS.many) return otherwise(task);
    const blockRows = knownSubgroupSize(runtime.adapter)!;
    return {
      blockRows,
      wgsl: files,
      constants: broadcastConstants(runtime, extents, broadcastRows(extents.keys)),
    };
  };
}

/** Rows of a block of a subgroup, of that many in all. */
function broadcastRows(count: number): number {
  return count <= BROADCAST_ROWS.few ? BROADCAST_ROWS.few : BROADCAST_ROWS.many;
}

function broadcastFiles(wgsl: string): readonly string[] {
  return [exponentialWgsl, rowsWgsl, sharedRowsWgsl, productsWgsl, wgsl];
}

function broadcastConstants(runtime: Runtime, extents: AttentionExtents, rows: number): WgslConstants {
  const lanes = knownSubgroupSize(runtime.adapter)!;
  return { LANES: lanes, ROWS: rows, DEPTH: depthOf(extents, 4), KEEP_LOOPS: true };
}

/** What all variants that share within subgroups have in common. */
export const broadcastVariant = {
  name: 'subgroup-broadcast',
  needs: ['subgroups'],
  prefers: 'software',
  canRun: (runtime: Runtime) => knownSubgroupSize(runtime.adapter) !== undefined,
} as const;

/**
 * A kernel on matrix units, whose step is called TILE_K when it goes through keys, else TILE_Q. Heads too wide for the
 * device's workgroup memory are left to `otherwise`.
 */
export function matrixPlanner(
  wgsl: string,
  kernel: AttentionMatrixKernel,
  otherwise: AttentionPlanner,
): AttentionPlanner {
  const files = matrixFiles(wgsl);
  return (task) => {
    const { runtime, extents, rows } = task;
    const tiling = attentionMatrixTiling(matrixExtents(extents, rows), matrixDevice(runtime), kernel);
    if (!tiling) return otherwise(task);
    return {
      blockRows: tiling.rows,
      wgsl: files,
      constants: matrixConstants(runtime, tiling, rows === 'queries' ? 'TILE_K' : 'TILE_Q'),
    };
  };
}

/** The files of a kernel on matrix units. */
export function matrixFiles(...wgsl: readonly string[]): readonly string[] {
  return [rowsWgsl, operationsWgsl, copiesWgsl, ...wgsl];
}

/** The constants of a kernel on matrix units, `step` being what it calls the rows of a step. */
export function matrixConstants(
  { adapter }: Runtime,
  tiling: AttentionMatrixTiling,
  step: 'TILE_Q' | 'TILE_K',
): WgslConstants {
  return { ...matrixTilingConstants(tiling, adapter.isSoftware), [step]: tiling.step };
}

function matrixExtents(extents: AttentionExtents, rows: 'queries' | 'keys'): AttentionMatrixExtents {
  const { queries, keys } = extents;
  const [blockRows, stepRows] = rows === 'queries' ? [queries, keys] : [keys, queries];
  return { blockRows, stepRows, headDimension: headDimension(extents) };
}

// What a device must hold at least for a kernel of any use: one strip of a narrow head.
const leastStrip: AttentionMatrixExtents = { blockRows: 1, stepRows: 1, headDimension: 32 };

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
