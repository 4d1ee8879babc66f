import { matrixUnit, type MatrixDevice } from '../matrix-units/matrix-device.js';
import type { MatrixUnitConfig } from '../runtime/runtime.js';
import type { WgslConstants } from '../runtime/wgsl.js';
import { keepsGpuBusy } from './matmul-occupancy.js';
import type { MatmulExtents } from './matmul-plan.js';

/** How a workgroup shares out its block of the output; names and layout are those of matmul-matrix-units.wgsl. */
export interface MatrixTiling {
  readonly unit: MatrixUnitConfig;
  /** Units of a subgroup, down and across. */
  readonly down: number;
  readonly across: number;
  readonly subgroupRows: number;
  readonly subgroupColumns: number;
  /** Subgroups that share a part, each with some of the steps of k. */
  readonly kGroups: number;
  readonly kTile: number;
  /** A multiple of the largest subgroup size, as matrix units demand. */
  readonly invocations: number;
  /** The block of the output. */
  readonly rows: number;
  readonly columns: number;
  readonly workgroupBytes: number;
}

// The more sums a subgroup has, the fewer reads of workgroup memory a product takes. 64 an invocation is what is left
// of 256 registers beside operands; 128 (4 × 4 units of 16 × 16) ran at a fifth of the speed on an H100.
const MOST_SUMS_PER_LANE = 64;
// The smallest part is taken whatever the device.
const LEAST_UNITS = 4;
type Subgroups = readonly [rows: number, columns: number];
interface PartShape {
  readonly down: number;
  readonly across: number;
  readonly subgroups: readonly Subgroups[];
}
// Large blocks first: each with the most subgroups that the device holds, so that a device has few programs. A single
// subgroup is for small outputs.
const PARTS: readonly PartShape[] = [
  {
    down: 4,
    across: 4,
    subgroups: [
      [2, 4],
      [2, 2],
    ],
  },
  {
    down: 4,
    across: 2,
    subgroups: [
      [2, 4],
      [2, 2],
    ],
  },
  {
    down: 2,
    across: 2,
    subgroups: [
      [2, 2],
      [1, 2],
    ],
  },
  { down: 2, across: 2, subgroups: [[1, 1]] },
];
const K_TILE = 32;
/** Elements that a row in workgroup memory is longer than it need be: 16 bytes. */
export const PADDING = 8;
// Of a single part; the most that the device holds.
const K_GROUPS = [8, 4, 2, 1];
/**
 * The tiling of a product: the largest blocks that still make enough workgroups to keep a
 * large GPU busy, or the most blocks where there are few. Undefined when the device has no such units, or cannot hold
 * the smallest block.
 */
export function matrixTiling(extents: MatmulExtents, device: MatrixDevice): MatrixTiling | undefined {
  const unit = matrixUnit(device.configs);
  if (!unit || device.subgroupMaxSize === 0) return undefined;
  const steps = Math.ceil(K_TILE / unit.k);
  return chooseTiling(extents, device, unit, steps) ?? chooseTiling(extents, device, unit, 1);
}

function chooseTiling(
  extents: MatmulExtents,
  device: MatrixDevice,
  unit: MatrixUnitConfig,
  kSteps: number,
): MatrixTiling | undefined {
  let smallest: MatrixTiling | undefined;
  for (const { down, across, subgroups } of PARTS) {
    const sumsPerLane = (down * unit.m * across * unit.n) / device.subgroupMaxSize;
    if (sumsPerLane > MOST_SUMS_PER_LANE && down * across > LEAST_UNITS) continue;
    const tiling = subgroups
      .flatMap(([subgroupRows, subgroupColumns]) => {
        const shape = { unit, down, across, subgroupRows, subgroupColumns };
        const isSingle = subgroupRows * subgroupColumns === 1;
        return (isSingle ? K_GROUPS : [1]).map((kGroups) =>
          withMemory({ ...shape, kGroups, kTile: Math.max(kSteps, kGroups) * unit.k }, device),
        );
      })
      .find(
        ({ invocations, workgroupBytes }) =>
          invocations <= device.maxWorkgroupInvocations && workgroupBytes <= device.maxWorkgroupBytes,
      );
    if (!tiling) continue;
    const { rows, columns } = tiling;
    if (keepsGpuBusy(extents, rows, columns)) return tiling;
    if (!smallest || rows * columns < smallest.rows * smallest.columns) smallest = tiling;
  }
  return smallest;
}

/** A tiling with what follows from it: its block, invocations and workgroup memory. */
function withMemory(
  tiling: Omit<MatrixTiling, 'rows' | 'columns' | 'invocations' | 'workgroupBytes'>,
  { subgroupMaxSize }: MatrixDevice,
): MatrixTiling {
  const { unit, down, across, subgroupRows, subgroupColumns, kGroups, kTile } = tiling;
  const rows = subgroupRows * down * unit.m;
  const columns = subgroupColumns * across * unit.n;
  const invocations = subgroupRows * subgroupColumns * kGroups * subgroupMaxSize;
  const workgroupBytes =
    operandBytes(rows, kTile) +
    operandBytes(columns, kTile) +
    4 * kGroups * subgroupRows * unit.m * columns + // a row of units of every subgroup, on its way to the epilogue
    16 * invocations; // sums of A's rows
  return { ...tiling, rows, columns, invocations, workgroupBytes };
}

/** The constants of a tiling, for the header of matmul-matrix-units.wgsl. */
export function tilingConstants(tiling: MatrixTiling): WgslConstants {
  const { unit, down, across, subgroupRows, subgroupColumns, kGroups, kTile, invocations } = tiling;
  return {
    UNIT_M: unit.m,
    UNIT_N: unit.n,
    UNIT_K: unit.k,
    UNITS_DOWN: down,
    UNITS_ACROSS: across,
    SUBGROUP_ROWS: subgroupRows,
    SUBGROUP_COLUMNS: subgroupColumns,
    K_GROUPS: kGroups,
    TILE_K: kTile,
    PADDING,
    INVOCATIONS: invocations,
  };
}

// A block lies in memory as its operand does, along k or across it: the larger of the two.
function operandBytes(extent: number, kTile: number): number {
  const elements = Math.max(extent * (kTile + PADDING), kTile * (extent + PADDING));
  return Math.ceil((2 * elements) / 16) * 16;
}
