import { matrixUnit, type MatrixDevice } from '../matrix-units/matrix-device.js';
import type { MatrixUnitConfig } from '../runtime/runtime.js';
import type { WgslConstants } from '../runtime/wgsl.js';
import type { AttentionExtents } from './attention-layout.js';

/** How a workgroup of a kernel on matrix units is made up; names are those of attention-matrix-units.wgsl. */
export interface AttentionMatrixTiling {
  readonly unit: MatrixUnitConfig;
  /** Strips of `unit.m` rows, one for each subgroup. */
  readonly strips: number;
  /** Rows of a block: queries, or keys in the gradients of the keys. */
  readonly rows: number;
  /** Rows of a step. */
  readonly step: number;
  /** Channels of a head, rounded up to whole units. */
  readonly depth: number;
  /** A multiple of the largest subgroup size, as matrix units demand. */
  readonly invocations: number;
  readonly workgroupBytes: number;
}

/** Rows that blocks are of, rows that steps are of, and channels of a head. */
export interface AttentionMatrixExtents {
  readonly blockRows: number;
  readonly stepRows: number;
  readonly headDimension: number;
}

/** What the tiling of a kernel depends on besides extents and device. */
export interface AttentionMatrixKernel {
  /** Rows of a step, at most: what four invocations hold of a row of the stage. */
  readonly longestStep: number;
  /** Bytes of workgroup memory. */
  bytes(tiling: { readonly rows: number; readonly step: number; readonly depth: number }): number;
}

// Four strips of 16 rows share what is copied; more would leave fewer workgroups than a large GPU holds at once.
const MOST_STRIPS = 4;
// Four invocations share a row of the stage, and each takes four neighbours at a time.
const STEP_UNIT = 16;
// More would not stay in registers.
const MOST_UNITS_OF_A_ROW = 8;
const PADDING = 8;

/**
 * The tiling with the most scores at once, and the most strips among equals, of those that the device has workgroup
 * memory for and the extents have use for. Undefined when the device has no matrix units, or cannot hold one strip.
 */
export function attentionMatrixTiling(
  { blockRows, stepRows, headDimension }: AttentionMatrixExtents,
  device: MatrixDevice,
  { longestStep, bytes }: AttentionMatrixKernel,
): AttentionMatrixTiling | undefined {
  const unit = matrixUnit(device.configs);
  if (!unit || device.subgroupMaxSize === 0) return undefined;
  const depth = roundUp(headDimension, leastCommonMultiple(unit.k, unit.n));
  if (depth > MOST_UNITS_OF_A_ROW * Math.min(unit.k, unit.n)) return undefined;
  const stepUnit = leastCommonMultiple(leastCommonMultiple(2 * unit.n, unit.k), STEP_UNIT);
  const longest = Math.min(longestStep, roundUp(stepRows, stepUnit));
  const most = Math.min(MOST_STRIPS, Math.floor(device.maxWorkgroupInvocations / device.subgroupMaxSize));
  let best: AttentionMatrixTiling | undefined;
  for (let strips = evenly(Math.ceil(blockRows / unit.m), most); strips > 0; strips--) {
    for (let step = roundDown(longest, stepUnit); step > 0; step -= stepUnit) {
      const rows = strips * unit.m;
      const workgroupBytes = bytes({ rows, step, depth });
      if (workgroupBytes > device.maxWorkgroupBytes || (best && best.rows * best.step >= rows * step))
        continue;
      const invocations = strips * device.subgroupMaxSize;
      best = { unit, strips, rows, step, depth, invocations, workgroupBytes };
    }
  }
  return best;
}

/**
 * The tiling of attention-backward-window-matrix.wgsl, which holds all keys; undefined where the device cannot.
 */
export function windowTiling(
  { keys, channels, heads }: AttentionExtents,
  device: MatrixDevice,
): AttentionMatrixTiling | undefined {
  const unit = matrixUnit(device.configs);
  if (!unit || device.subgroupMaxSize === 0) return undefined;
  const depth = roundUp(channels / heads, leastCommonMultiple(unit.k, unit.n));
  if (depth > MOST_UNITS_OF_A_ROW * Math.min(unit.k, unit.n)) return undefined;
  const rows = roundUp(keys, leastCommonMultiple(unit.m, unit.k));
  const strips = rows / unit.m;
  const invocations = strips * device.subgroupMaxSize;
  const step = [unit.m, unit.n, unit.k].reduce(leastCommonMultiple, STEP_UNIT);
  const halves = (rows + 2 * step) * (depth + PADDING) + 2 * rows * (step + PADDING);
  const stage = Math.max(rows * (2 * step + 4), Math.max(step, unit.m) * (depth + 4));
  const workgroupBytes = 2 * halves + 4 * (stage + 2 * step);
  if (invocations > device.maxWorkgroupInvocations || workgroupBytes > device.maxWorkgroupBytes)
    return undefined;
  return { unit, strips, rows, step, depth, invocations, workgroupBytes };
}

/** attention-matrix-units.wgsl. */
export const forwardKernel: AttentionMatrixKernel = {
  longestStep: 64,
  bytes: ({ rows, step, depth }) => {
    const stride = depth + PADDING;
    const halves = Math.max(rows * stride, step * stride, rows * (step + PADDING)) + depth * (step + PADDING);
    const stage = rows * (Math.max(step, depth) + PADDING);
    const perRow = 3 * 4;
    return 2 * halves + 4 * (stage + rows * perRow) + 16;
  },
};

/** attention-backward-query-matrix.wgsl. */
export const backwardQueryKernel: AttentionMatrixKernel = {
  longestStep: 32,
  bytes: ({ rows, step, depth }) => {
    const stride = depth + PADDING;
    const halves = Math.max(rows * stride, step * stride + Math.max(step * stride, rows * (step + PADDING)));
    const stage = rows * (Math.max(2 * step, depth) + PADDING);
    return 2 * halves + 4 * (stage + 2 * rows);
  },
};

/** attention-backward-key-matrix.wgsl. */
export const backwardKeyKernel: AttentionMatrixKernel = {
  longestStep: 32,
  bytes: ({ rows, step, depth }) => {
    const stride = depth + PADDING;
    const halves = Math.max(rows * stride, 2 * step * stride + 2 * rows * (step + PADDING));
    const stage = rows * (Math.max(2 * step, depth) + PADDING);
    return 2 * halves + 4 * (stage + 2 * step);
  },
};

/** The constants of a tiling. */
export function matrixTilingConstants(
  { unit, strips, depth, invocations }: AttentionMatrixTiling,
  keepLoops: boolean,
): WgslConstants {
  return {
    UNIT_M: unit.m,
    UNIT_N: unit.n,
    UNIT_K: unit.k,
    STRIPS: strips,
    DEPTH: depth,
    INVOCATIONS: invocations,
    KEEP_LOOPS: keepLoops,
  };
}

/**
 * Whether matrix units are worth having for a shape: few keys or queries fill a fraction of a unit, and so does a head
 * that is not a whole number of them; one that is too many is left to a kernel without.
 *
 * @param fewestRows the fewest keys or queries for which they are
 */
export function paysOnMatrixUnits(
  { queries, keys, channels, heads }: AttentionExtents,
  configs: readonly MatrixUnitConfig[],
  fewestRows: number,
): boolean {
  const unit = matrixUnit(configs);
  const headDimension = channels / heads;
  return (
    unit !== undefined &&
    Math.min(queries, keys) >= fewestRows &&
    headDimension % unit.k === 0 &&
    headDimension % unit.n === 0 &&
    headDimension <= MOST_UNITS_OF_A_ROW * Math.min(unit.k, unit.n)
  );
}

/** The fewest workgroups of at most `most` strips, and then the fewest strips of each. */
function evenly(strips: number, most: number): number {
  return most < 1 ? 0 : Math.ceil(strips / Math.ceil(strips / most));
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

function roundDown(value: number, step: number): number {
  return Math.floor(value / step) * step;
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
