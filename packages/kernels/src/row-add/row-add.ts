import { elementwise, elementwiseVariants } from '../elementwise/elementwise.js';
import { ShapeError } from '../runtime/errors.js';
import { elementBytes, type GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import { requireRows, requireWritableRows } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';

const KERNEL = 'row-add';

export const rowAddVariants = elementwiseVariants;

export interface RowAddCostOptions {
  readonly hasTable?: boolean;
  readonly accumulate?: boolean;
  /** Bytes of an element of `a`, and of one of `out`; default 4. */
  readonly aBytes?: number;
  readonly outBytes?: number;
}

/** Cost for `rows` × `columns` results; each element of `a` and of the table is counted once a row that uses it. */
export function rowAddCost(
  rows: number,
  columns: number,
  { hasTable = false, accumulate = false, aBytes = 4, outBytes = 4 }: RowAddCostOptions = {},
): Cost {
  const count = rows * columns;
  const additions = (hasTable ? 1 : 0) + (accumulate ? 1 : 0);
  return {
    macs: 0,
    flops: additions * count,
    bytesRead: (aBytes + (accumulate ? outBytes : 0)) * count + (hasTable ? 4 * (count + rows) : 0),
    bytesWritten: outBytes * count,
  };
}

export interface RowAddArrays {
  /** Rows of C columns, f32 or f16; may be a broadcast view, or lie in the buffer of `out` (see `rowAdd`). */
  readonly a: GpuArray;
  /** Rows of C columns, [P, C]; given together with `indices`. */
  readonly table?: GpuArray;
  /** u32, one a row of `out`, each below P: those beyond are taken for P − 1 (`uploadIndices` lets none be). */
  readonly indices?: GpuArray;
  /** As many rows of C columns as `a`, strided or not, f32 or f16; rows outside the view stay as they are. */
  readonly out: GpuArray;
  /** Add to `out` instead of overwriting it. */
  readonly accumulate?: boolean;
}

/**
 * out[r] = a[r] (+ table[indices[r]]): copies, broadcasts or adds up rows, and adds table rows to them. Between f32 and
 * f16 it rounds to nearest; what f16 does not hold becomes infinite. `a` may be rows of the buffer that holds `out` if
 * they are the same rows or none of those written.
 *
 * @throws ShapeError for arrays that do not fit together, or a table without indices
 */
export function rowAdd(runtime: Runtime, { a, table, indices, out, accumulate = false }: RowAddArrays): void {
  if ((table === undefined) !== (indices === undefined)) {
    throw new ShapeError(
      `${KERNEL}: table and indices go together, but only ${table ? 'table' : 'indices'} was given`,
    );
  }
  const { rows, columns } = requireRows(KERNEL, 'a', a, { mayBeHalf: true });
  requireWritableRows(KERNEL, 'out', out, { rows, columns, mayBeHalf: true });
  elementwise(runtime, {
    kernel: KERNEL,
    inputs: {
      a: { array: a, inPlace: 'any rows' },
      table: table && { array: table, as: 'looked up', indices: indices! },
    },
    out,
    value: table ? 'a + table' : 'a',
    accumulate,
    cost: rowAddCost(rows, columns, {
      hasTable: table !== undefined,
      accumulate,
      aBytes: elementBytes(a.dtype),
      outBytes: elementBytes(out.dtype),
    }),
  });
}

/**
 * Uploads indices of the rows of a table, u32 of `shape`. Kernels cannot report one that lies outside.
 *
 * @throws RangeError unless each is below `rows`
 */
export function uploadIndices(
  runtime: Runtime,
  indices: Uint32Array,
  shape: readonly number[],
  { rows, label }: { readonly rows: number; readonly label: string },
): GpuArray {
  const at = indices.findIndex((index) => index >= rows);
  if (at >= 0) {
    throw new RangeError(
      `${label}: index ${at} is ${indices[at]}, but there are ${rows} rows: give 0 to ${rows - 1}`,
    );
  }
  return runtime.upload(indices, shape, 'u32', label);
}
