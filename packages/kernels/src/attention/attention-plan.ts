import { matrixDevice } from '../matrix-units/matrix-device.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Runtime } from '../runtime/runtime.js';
import { selectVariant, type Variant } from '../runtime/variants.js';
import type { WgslConstants } from '../runtime/wgsl.js';
import { attentionClass, laneWidth, type AttentionExtents } from './attention-layout.js';
import operationsWgsl from './attention-matrix-operations.wgsl';
import {
  attentionMatrixTiling,
  matrixTilingConstants,
  paysOnMatrixUnits,
  type AttentionMatrixExtents,
  type WorkgroupBytes,
} from './attention-matrix-tiling.js';
import { tileRows, tilingConstants, tilesPerWorkgroup, type AttentionTiling } from './attention-tiling.js';
import quads1Wgsl from './matrix-quads-1.wgsl';
import quads4Wgsl from './matrix-quads-4.wgsl';

/** What a kernel is asked to do, as far as the division of its work depends on it. */
export interface AttentionTask {
  readonly runtime: Runtime;
  readonly extents: AttentionExtents;
  readonly views: readonly GpuArray[];
  /** Rows that the kernel produces: as many as there are queries, or keys. */
  readonly rows: 'queries' | 'keys';
}

/** A kernel for a task: its text, and how the rows that it produces are dealt out. */
export interface AttentionPlan {
  /** `enable` lines, which precede everything else. */
  readonly enable: string;
  /** What follows the header. */
  readonly wgsl: string;
  readonly constants: WgslConstants;
  /** Rows of one tile; a tile belongs to one head of one group. */
  readonly tileRows: number;
  readonly tilesPerWorkgroup: number;
}

/** Chooses how a kernel does a task. Called for every dispatch. */
export type AttentionPlanner = (task: AttentionTask) => AttentionPlan;

/** A kernel without matrix units. */
export function plainPlanner(wgsl: string, tiling: AttentionTiling): AttentionPlanner {
  return ({ runtime, extents, views }) => ({
    enable: '',
    wgsl,
    constants: tilingConstants(runtime, tiling, extents, views),
    tileRows: tileRows(tiling, extents),
    tilesPerWorkgroup: tilesPerWorkgroup(tiling),
  });
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
  bytes: WorkgroupBytes,
  otherwise: AttentionPlanner,
): AttentionPlanner {
  return (task) => {
    const { runtime, extents, views, rows } = task;
    const tiling = attentionMatrixTiling(matrixExtents(extents, rows), matrixDevice(runtime), bytes);
    if (!tiling) return otherwise(task);
    return {
      enable: ENABLE,
      wgsl: operationsWgsl + (laneWidth(extents, views) === 4 ? quads4Wgsl : quads1Wgsl) + wgsl,
      constants: {
        ...matrixTilingConstants(tiling, runtime.adapter.isSoftware),
        [rows === 'queries' ? 'TILE_K' : 'TILE_Q']: tiling.step,
      },
      tileRows: tiling.rows,
      tilesPerWorkgroup: 1,
    };
  };
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

// What a device must hold at least: one strip of a head such as the models have.
const leastStrip: AttentionMatrixExtents = { kept: 1, passed: 1, headDimension: 64 };

/** The part of a variant on matrix units that all kernels share; `bytes` are those of its kernels. */
export function matrixVariant(...bytes: readonly WorkgroupBytes[]) {
  return {
    name: 'matrix-units',
    needs: ['chromium-experimental-subgroup-matrix', 'shader-f16', 'subgroups'],
    prefers: 'gpu',
    precision: 'f16',
    canRun: (runtime: Runtime) =>
      bytes.every((each) => attentionMatrixTiling(leastStrip, matrixDevice(runtime), each) !== undefined),
  } as const;
}

/** Variants of a kernel, and those of them that leave f32 as it is. */
export interface AttentionVariants<V extends Variant> {
  readonly all: readonly V[];
  readonly exact: readonly V[];
}

export function attentionVariantsOf<V extends Variant>(all: readonly V[]): AttentionVariants<V> {
  return { all, exact: all.filter(({ precision }) => precision === undefined) };
}

/**
 * The variant for a shape: as `selectVariant` has it, but matrix units only where they pay, unless a variant is forced.
 * They do every shape, so that tests run them on all cases, and benchmarks can show where the line should be.
 */
export function selectAttention<V extends Variant>(
  runtime: Runtime,
  kernel: string,
  { all, exact }: AttentionVariants<V>,
  extents: AttentionExtents,
): V {
  const declined =
    runtime.precision === 'f16' &&
    !runtime.forcedVariants.has(kernel) &&
    !paysOnMatrixUnits(extents, runtime.adapter.matrixUnits ?? []);
  return selectVariant(runtime, kernel, declined ? exact : all, attentionClass(extents));
}
