import { elementwise, elementwiseVariants, isSameRows } from '../elementwise/elementwise.js';
import { ShapeError } from '../runtime/errors.js';
import { elementBytes, type GpuArray, type RowLayout } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import { requireContiguous, requireRows, requireWritableRows } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';

const KERNEL = 'row-scale';

export const rowScaleVariants = elementwiseVariants;

export interface RowScaleCostOptions {
  readonly hasResidual?: boolean;
  readonly accumulate?: boolean;
  /** Bytes of an element of `x`, and of one of `out`; default 4. */
  readonly xBytes?: number;
  readonly outBytes?: number;
}

/** Cost for `rows` × `columns` results with one factor for `rowsPerScale` rows. A residual in `out` counts as one. */
export function rowScaleCost(
  rows: number,
  columns: number,
  rowsPerScale: number,
  { hasResidual = false, accumulate = false, xBytes = 4, outBytes = 4 }: RowScaleCostOptions = {},
): Cost {
  const count = rows * columns;
  const additions = (hasResidual ? 1 : 0) + (accumulate ? 1 : 0);
  return {
    macs: 0,
    flops: (1 + additions) * count,
    bytesRead:
      (xBytes + (hasResidual ? 4 : 0) + (accumulate ? outBytes : 0)) * count + (4 * rows) / rowsPerScale,
    bytesWritten: outBytes * count,
  };
}

export interface RowScaleArrays {
  /** Rows of C columns, f32 or f16; may be `out` itself. */
  readonly x: GpuArray;
  /** [rows / rowsPerScale] */
  readonly scale: GpuArray;
  /** Consecutive rows that share a factor. */
  readonly rowsPerScale: number;
  /** As many rows of C columns; may be `out` itself, which is then updated in place. */
  readonly residual?: GpuArray;
  /** As many rows of C columns, strided or not, f32 or f16; rows outside the view stay as they are. */
  readonly out: GpuArray;
  /** Add to `out` instead of overwriting it. */
  readonly accumulate?: boolean;
}

/**
 * out[r] = residual[r] + scale[⌊r / rowsPerScale⌋] · x[r]: the residual connection of a dropped or kept path, and
 * without `residual` its backward pass. Of `x` and `residual`, one may be the very view `out`; apart from that, `out`
 * shares its buffer with nothing.
 *
 * @throws ShapeError otherwise or when shapes do not fit
 */
export function rowScale(runtime: Runtime, arrays: RowScaleArrays): void {
  const { x, scale, rowsPerScale, residual, out, accumulate = false } = arrays;
  const xRows = requireRows(KERNEL, 'x', x, { mayBeHalf: true });
  const { rows, columns } = xRows;
  if (!Number.isInteger(rowsPerScale) || rowsPerScale < 1 || rows % rowsPerScale !== 0) {
    throw new ShapeError(`${KERNEL}: rowsPerScale ${rowsPerScale} does not divide the ${rows} rows of x`);
  }
  requireContiguous(KERNEL, 'scale', scale, rows / rowsPerScale);
  const outRows = requireWritableRows(KERNEL, 'out', out, { rows, columns, mayBeHalf: true });
  const residualRows = residual && requireRows(KERNEL, 'residual', residual, { rows, columns });
  const isOut = (array: GpuArray | undefined, layout: RowLayout | undefined) =>
    array?.storage.id === out.storage.id && layout !== undefined && isSameRows(layout, outRows);
  const residualIsOut = isOut(residual, residualRows);
  if (residualIsOut && (accumulate || isOut(x, xRows))) {
    throw new ShapeError(`${KERNEL}: residual is out itself, so neither may x be out nor accumulate be set`);
  }
  elementwise(runtime, {
    kernel: KERNEL,
    inputs: {
      x: { array: x, inPlace: 'same rows' },
      scale: { array: scale, as: 'factor', rowsPerFactor: rowsPerScale },
      residual: residual && { array: residual, inPlace: 'same rows' },
    },
    out,
    value: residual ? 'residual + scale * x' : 'scale * x',
    accumulate,
    cost: rowScaleCost(rows, columns, rowsPerScale, {
      hasResidual: residual !== undefined && !residualIsOut,
      accumulate: accumulate || residualIsOut,
      xBytes: elementBytes(x.dtype),
      outBytes: elementBytes(out.dtype),
    }),
  });
}
