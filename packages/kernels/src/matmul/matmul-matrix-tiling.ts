import type { MatrixUnitConfig, Runtime } from '../runtime/runtime.js';
import type { WgslConstants } from '../runtime/wgsl.js';

/** What tiling must know of a device. */
export interface MatrixDevice {
  readonly configs: readonly MatrixUnitConfig[];
  readonly subgroupMaxSize: number;
  readonly maxWorkgroupInvocations: number;
  readonly maxWorkgroupBytes: number;
}

/** What `matrixTiling` must know of the device of a runtime. */
export function matrixDevice({ adapter, device: { limits } }: Runtime): MatrixDevice {
  return {
    configs: adapter.matrixUnits ?? [],
    subgroupMaxSize: adapter.subgroupMaxSize,
    maxWorkgroupInvocations: Math.min(
      limits.maxComputeInvocationsPerWorkgroup,
      limits.maxComputeWorkgroupSizeX,
    ),
    maxWorkgroupBytes: limits.maxComputeWorkgroupStorageSize,
  };
}

/** How a workgroup shares out its block of the output; names and layout are those of matmul-matrix-units.wgsl. */
export interface MatrixTiling {
  readonly unit: MatrixUnitConfig;
  readonly subgroupRows: number;
  readonly subgroupColumns: number;
  readonly unitsDown: number;
  readonly unitsAcross: number;
  readonly kTile: number;
  /** A multiple of the largest subgroup size, as matrix units demand. */
  readonly invocations: number;
  /** The block of the output. */
  readonly rows: number;
  readonly columns: number;
  readonly workgroupBytes: number;
}

// Sums that an invocation keeps in registers: 32 × 32 elements for a subgroup of 32.
const SUMS_PER_LANE = 32;
const SUBGROUPS_DOWN = 2;
const SUBGROUPS_ACROSS = 2;
const K_TILE = 32;
const PADDING = 8;

/**
 * The units to use: f16 operands and f32 sums, the largest product at once. Undefined where there are none; extents that
 * are no multiples of four, which no known adapter has, do not count.
 */
export function matrixUnit(configs: readonly MatrixUnitConfig[]): MatrixUnitConfig | undefined {
  const volume = ({ m, n, k }: MatrixUnitConfig) => m * n * k;
  const usable = configs.filter(
    ({ componentType, resultComponentType, m, n, k }) =>
      componentType === 'f16' &&
      resultComponentType === 'f32' &&
      [m, n, k].every((x) => x > 0 && x % 4 === 0),
  );
  return usable.reduce<MatrixUnitConfig | undefined>(
    (best, config) => (best && volume(best) >= volume(config) ? best : config),
    undefined,
  );
}

/**
 * The tiling of a product with [m, n] outputs: two by two subgroups with as many sums as their registers hold, less
 * where the output is smaller or the device's workgroups are. Undefined when the device has no such units, or cannot
 * hold even one.
 */
export function matrixTiling(
  { m, n }: { readonly m: number; readonly n: number },
  device: MatrixDevice,
): MatrixTiling | undefined {
  const unit = matrixUnit(device.configs);
  if (!unit || device.subgroupMaxSize === 0) return undefined;
  const [mostDown, mostAcross] = [Math.ceil(m / unit.m), Math.ceil(n / unit.n)];
  let [unitsDown, unitsAcross] = unitsOfSubgroup(unit, device.subgroupMaxSize, mostDown, mostAcross);
  let subgroupRows = Math.min(SUBGROUPS_DOWN, Math.ceil(mostDown / unitsDown));
  let subgroupColumns = Math.min(SUBGROUPS_ACROSS, Math.ceil(mostAcross / unitsAcross));
  let kTile = Math.ceil(K_TILE / unit.k) * unit.k;
  for (;;) {
    const rows = subgroupRows * unitsDown * unit.m;
    const columns = subgroupColumns * unitsAcross * unit.n;
    const invocations = subgroupRows * subgroupColumns * device.subgroupMaxSize;
    const workgroupBytes =
      operandBytes(rows, kTile) +
      operandBytes(columns, kTile) +
      4 * subgroupRows * unit.m * columns + // a row of units of every subgroup, on its way to the epilogue
      4 * rows; // sums of A's rows
    const tooMany = invocations > device.maxWorkgroupInvocations;
    if (!tooMany && workgroupBytes <= device.maxWorkgroupBytes) {
      const subgroups = { subgroupRows, subgroupColumns, unitsDown, unitsAcross };
      return { unit, ...subgroups, kTile, invocations, rows, columns, workgroupBytes };
    }
    if (subgroupColumns > 1) subgroupColumns = 1;
    else if (subgroupRows > 1) subgroupRows = 1;
    else if (tooMany) return undefined;
    else if (unitsAcross > 1) unitsAcross = Math.ceil(unitsAcross / 2);
    else if (unitsDown > 1) unitsDown = Math.ceil(unitsDown / 2);
    else if (kTile > unit.k) kTile = unit.k;
    else return undefined;
  }
}

/** The constants of a tiling, for the header of matmul-matrix-units.wgsl. */
export function tilingConstants(tiling: MatrixTiling): WgslConstants {
  const { unit, subgroupRows, subgroupColumns, unitsDown, unitsAcross, kTile, invocations } = tiling;
  return {
    UNIT_M: unit.m,
    UNIT_N: unit.n,
    UNIT_K: unit.k,
    SUBGROUP_ROWS: subgroupRows,
    SUBGROUP_COLUMNS: subgroupColumns,
    UNITS_DOWN: unitsDown,
    UNITS_ACROSS: unitsAcross,
    TILE_K: kTile,
    PADDING,
    INVOCATIONS: invocations,
  };
}

// The longer side grows last: square parts read the least of both operands for a number of sums.
function unitsOfSubgroup(
  unit: MatrixUnitConfig,
  lanes: number,
  mostDown: number,
  mostAcross: number,
): [number, number] {
  let [down, across] = [1, 1];
  while (2 * down * unit.m * across * unit.n <= SUMS_PER_LANE * lanes) {
    const canGrowDown = 2 * down <= mostDown;
    const canGrowAcross = 2 * across <= mostAcross;
    if (canGrowAcross && (across * unit.n <= down * unit.m || !canGrowDown)) across *= 2;
    else if (canGrowDown) down *= 2;
    else break;
  }
  return [down, across];
}

// A block lies in memory as its operand does, along k or across it: the larger of the two.
function operandBytes(extent: number, kTile: number): number {
  const elements = Math.max(extent * (kTile + PADDING), kTile * (extent + PADDING));
  return Math.ceil((2 * elements) / 16) * 16;
}
