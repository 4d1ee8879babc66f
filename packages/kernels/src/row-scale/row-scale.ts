import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import {
  elementAlias,
  elementWidth,
  requireContiguous,
  requireRows,
  requireSeparate,
  requireWritableRows,
  rowData,
  rowKey,
} from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import { constantHeader } from '../runtime/wgsl.js';
import rowScaleWgsl from './row-scale.wgsl';

const KERNEL = 'row-scale';

export const rowScaleVariants: readonly Variant[] = [{ name: 'elementwise', needs: [], prefers: 'any' }];

export interface RowScaleCostOptions {
  readonly hasResidual?: boolean;
  readonly accumulate?: boolean;
}

/** Cost for `rows` × `columns` results with one factor for `rowsPerScale` rows. A residual in `out` counts as one. */
export function rowScaleCost(
  rows: number,
  columns: number,
  rowsPerScale: number,
  { hasResidual = false, accumulate = false }: RowScaleCostOptions = {},
): Cost {
  const count = rows * columns;
  const additions = (hasResidual ? 1 : 0) + (accumulate ? 1 : 0);
  return {
    macs: 0,
    flops: (1 + additions) * count,
    bytesRead: 4 * ((1 + additions) * count + rows / rowsPerScale),
    bytesWritten: 4 * count,
  };
}

export interface RowScaleArrays {
  /** Rows of C columns; may be `out` itself. */
  readonly x: GpuArray;
  /** [rows / rowsPerScale] */
  readonly scale: GpuArray;
  /** Consecutive rows that share a factor. */
  readonly rowsPerScale: number;
  /** As many rows of C columns; may be `out` itself, which is then updated in place. */
  readonly residual?: GpuArray;
  /** As many rows of C columns, strided or not; rows outside the view stay as they are. */
  readonly out: GpuArray;
  /** Add to `out` instead of overwriting it. */
  readonly accumulate?: boolean;
}

/**
 * out[r] = residual[r] + scale[⌊r / rowsPerScale⌋] · x[r]: the residual connection of a dropped or kept path, and
 * without `residual` its backward pass. Of `x` and `residual`, one may be the very view `out`; apart from that,
 * `out` shares its buffer with nothing. Throws `ShapeError` otherwise or when shapes do not fit.
 */
export function rowScale(runtime: Runtime, arrays: RowScaleArrays): void {
  const { x, scale, rowsPerScale, residual, out } = arrays;
  const xRows = requireRows(KERNEL, 'x', x);
  const { rows, columns } = xRows;
  if (!Number.isInteger(rowsPerScale) || rowsPerScale < 1 || rows % rowsPerScale !== 0) {
    throw new ShapeError(`${KERNEL}: rowsPerScale ${rowsPerScale} does not divide the ${rows} rows of x`);
  }
  requireContiguous(KERNEL, 'scale', scale, rows / rowsPerScale);
  const outRows = requireWritableRows(KERNEL, 'out', out, { rows, columns });
  const residualRows = residual ? requireRows(KERNEL, 'residual', residual, { rows, columns }) : xRows;

  const sameAsOut = (array: GpuArray | undefined, key: string) =>
    array !== undefined && array.storage.id === out.storage.id && key === rowKey(outRows);
  const xInPlace = sameAsOut(x, rowKey(xRows));
  const residualInPlace = sameAsOut(residual, rowKey(residualRows));
  if (residualInPlace && (arrays.accumulate || xInPlace)) {
    throw new ShapeError(`${KERNEL}: residual is out itself, so neither may x be out nor accumulate be set`);
  }
  const readResidual = residualInPlace ? undefined : residual;
  requireSeparate(KERNEL, { out }, { scale, x: xInPlace ? undefined : x, residual: readResidual });
  const accumulate = arrays.accumulate === true || residualInPlace;

  const hasResidual = readResidual !== undefined;
  const width = elementWidth([xRows, outRows, residualRows]);
  const count = (rows * columns) / width;
  const grid = runtime.linearGrid(Math.ceil(count / 256));
  const layouts = `${rowKey(xRows)} ${hasResidual ? rowKey(residualRows) : ''} ${rowKey(outRows)}`;
  const key = `${KERNEL} ${layouts} ${rowsPerScale} ${scale.offset} ${accumulate} ${xInPlace} ${hasResidual}`;
  const program = runtime.program(key, () => ({
    kernel: KERNEL,
    detail: `${rows} × ${columns}, ${rowsPerScale} rows a factor`,
    wgsl:
      elementAlias(width) +
      constantHeader({
        COUNT: count,
        COLUMNS: columns / width,
        GRID_X: grid[0],
        ROWS_PER_SCALE: rowsPerScale,
        HAS_RESIDUAL: hasResidual,
        X_IN_PLACE: xInPlace,
        ACCUMULATE: accumulate,
        ...rowData('X', xRows, width),
        ...rowData('RESIDUAL', residualRows, width),
        ...rowData('OUT', outRows, width),
        SCALE_OFFSET: scale.offset,
      }) +
      rowScaleWgsl,
    access: ['read_write', 'read', 'read', 'read'],
  }));
  const bound = [out, scale, xInPlace ? scale : x, readResidual ?? scale];
  runtime.dispatch(
    program,
    bound,
    grid,
    rowScaleCost(rows, columns, rowsPerScale, { hasResidual, accumulate }),
  );
}
