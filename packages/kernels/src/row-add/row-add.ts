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
import rowAddWgsl from './row-add.wgsl';

const KERNEL = 'row-add';

export const rowAddVariants: readonly Variant[] = [{ name: 'elementwise', needs: [], prefers: 'any' }];

export interface RowAddCostOptions {
  readonly hasTable?: boolean;
  readonly accumulate?: boolean;
}

/** Cost for `rows` × `columns` results; each element of `a` and of the table is counted once a row that uses it. */
export function rowAddCost(
  rows: number,
  columns: number,
  { hasTable = false, accumulate = false }: RowAddCostOptions = {},
): Cost {
  const count = rows * columns;
  const additions = (hasTable ? 1 : 0) + (accumulate ? 1 : 0);
  return {
    macs: 0,
    flops: additions * count,
    bytesRead: 4 * ((1 + additions) * count + (hasTable ? rows : 0)),
    bytesWritten: 4 * count,
  };
}

export interface RowAddArrays {
  /** Rows of C columns; may be a broadcast view, or lie in the buffer of `out` (see `rowAdd`). */
  readonly a: GpuArray;
  /** Rows of C columns, [P, C]; given together with `indices`. */
  readonly table?: GpuArray;
  /** u32, one a row of `out`, each below P. */
  readonly indices?: GpuArray;
  /** As many rows of C columns as `a`, strided or not; rows outside the view stay as they are. */
  readonly out: GpuArray;
  /** Add to `out` instead of overwriting it. */
  readonly accumulate?: boolean;
}

/**
 * out[r] = a[r] (+ table[indices[r]]): copies, broadcasts or adds up rows, and adds table rows to them.
 * `a` may be rows of the buffer that holds `out` if they are the same rows or none of those written.
 * Throws `ShapeError` for arrays that do not fit together, or a table without indices.
 */
export function rowAdd(runtime: Runtime, { a, table, indices, out, accumulate = false }: RowAddArrays): void {
  const aRows = requireRows(KERNEL, 'a', a);
  const { rows, columns } = aRows;
  const outRows = requireWritableRows(KERNEL, 'out', out, { rows, columns });
  if ((table === undefined) !== (indices === undefined)) {
    throw new ShapeError(
      `${KERNEL}: table and indices go together, but only ${table ? 'table' : 'indices'} was given`,
    );
  }
  const tableRows = table ? requireRows(KERNEL, 'table', table, { columns }) : aRows;
  if (indices) requireContiguous(KERNEL, 'indices', indices, rows, 'u32');
  const inPlace = a.storage.id === out.storage.id;
  requireSeparate(KERNEL, { out }, inPlace ? { table, indices } : { a, table, indices });

  const width = elementWidth([aRows, outRows, tableRows]);
  const hasTable = table !== undefined;
  const count = (rows * columns) / width;
  const grid = runtime.linearGrid(Math.ceil(count / 256));
  const tableKey = table ? `${rowKey(tableRows)} ${indices!.offset}` : '';
  const key = `${KERNEL} ${rowKey(aRows)} ${rowKey(outRows)} ${tableKey} ${accumulate} ${inPlace}`;
  const program = runtime.program(key, () => ({
    kernel: KERNEL,
    detail: `${rows} × ${columns}${hasTable ? ' with table' : ''}`,
    wgsl:
      elementAlias(width) +
      constantHeader({
        COUNT: count,
        COLUMNS: columns / width,
        GRID_X: grid[0],
        HAS_TABLE: hasTable,
        A_IN_OUT: inPlace,
        ACCUMULATE: accumulate,
        ...rowData('A', aRows, width),
        ...rowData('OUT', outRows, width),
        ...rowData('TABLE', tableRows, width),
        INDICES_OFFSET: indices?.offset ?? 0,
      }) +
      rowAddWgsl,
    access: ['read_write', 'read', 'read', 'read'],
  }));
  // Bindings that are not read still need a buffer, and it must not be the one that is written.
  const spare = inPlace && !table ? runtime.empty([4], 'f32', `${KERNEL} unused binding`) : undefined;
  const unused = (spare ?? table ?? a) as GpuArray;
  const bound = [out, inPlace ? unused : a, table ?? unused, indices ?? unused];
  runtime.dispatch(program, bound, grid, rowAddCost(rows, columns, { hasTable, accumulate }));
  if (spare) runtime.release(spare);
}
