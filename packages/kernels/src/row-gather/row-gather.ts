import { ShapeError } from '../runtime/errors.js';
import type { GpuArray, RowLayout } from '../runtime/gpu-array.js';
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
import { constantHeader, type WgslConstants } from '../runtime/wgsl.js';
import gatherWgsl from './row-gather.wgsl';
import scatterWgsl from './row-scatter.wgsl';

const GATHER = 'row-gather';
const SCATTER = 'row-scatter';

export const rowGatherVariants: readonly Variant[] = [{ name: 'elementwise', needs: [], prefers: 'any' }];

/** Cost of moving `rows` rows by index. */
export function rowGatherCost(rows: number, columns: number): Cost {
  const count = rows * columns;
  return { macs: 0, flops: 0, bytesRead: 4 * (count + rows), bytesWritten: 4 * count };
}

export function rowScatterCost(rows: number, columns: number, accumulate: boolean): Cost {
  const count = rows * columns;
  return {
    macs: 0,
    flops: accumulate ? count : 0,
    bytesRead: 4 * ((accumulate ? 2 : 1) * count + rows),
    bytesWritten: 4 * count,
  };
}

export interface RowGatherArrays {
  /** [G, P, C]; any strides on the first two axes. */
  readonly x: GpuArray;
  /** u32 [G, I], each below P. */
  readonly indices: GpuArray;
  /** G·I rows of C columns, e.g. [G, I, C], strided or not. */
  readonly out: GpuArray;
}

/** out[g, i] = x[g, indices[g, i]]. Throws `ShapeError` for arrays that do not fit together. */
export function rowGather(runtime: Runtime, { x, indices, out }: RowGatherArrays): void {
  const { groups, picks, columns } = requireGroups(GATHER, 'x', x, indices);
  const outRows = requireWritableRows(GATHER, 'out', out, { rows: groups * picks, columns });
  requireSeparate(GATHER, { out }, { x, indices });
  const width = groupWidth(x, outRows);
  const count = (groups * picks * columns) / width;
  const grid = runtime.linearGrid(Math.ceil(count / 256));
  const key = `${GATHER} ${groupKey(x)} ${picks} ${rowKey(outRows)} ${indices.offset}`;
  const program = runtime.program(key, () => ({
    kernel: GATHER,
    detail: `${groups} × ${picks} of ${x.shape[1]} rows of ${columns}`,
    wgsl:
      elementAlias(width) +
      constantHeader({
        COUNT: count,
        COLUMNS: columns / width,
        PICKS: picks,
        GRID_X: grid[0],
        ...groupConstants('X', x, width),
        ...rowData('OUT', outRows, width),
        INDICES_OFFSET: indices.offset,
      }) +
      gatherWgsl,
    access: ['read', 'read', 'read_write'],
  }));
  runtime.dispatch(program, [x, indices, out], grid, rowGatherCost(groups * picks, columns));
}

export interface RowScatterArrays {
  /** G·I rows of C columns, e.g. [G, I, C], strided or not. */
  readonly x: GpuArray;
  /** u32 [G, I], each below P; the indices of one group must differ from one another. */
  readonly indices: GpuArray;
  /** [G, P, C]; any strides on the first two axes. Rows that no index names stay as they are. */
  readonly out: GpuArray;
  /** Add to the rows of `out` instead of overwriting them. */
  readonly accumulate?: boolean;
}

/**
 * out[g, indices[g, i]] = x[g, i]: the inverse of `rowGather`, and with `accumulate` its backward pass. Where an
 * index occurs twice in a group, which of the two rows arrives is undefined.
 * Throws `ShapeError` for arrays that do not fit together.
 */
export function rowScatter(
  runtime: Runtime,
  { x, indices, out, accumulate = false }: RowScatterArrays,
): void {
  const { groups, picks, columns } = requireGroups(SCATTER, 'out', out, indices);
  const xRows = requireRows(SCATTER, 'x', x, { rows: groups * picks, columns });
  requireWritableRows(SCATTER, 'out', out);
  requireSeparate(SCATTER, { out }, { x, indices });
  const width = groupWidth(out, xRows);
  const count = (groups * picks * columns) / width;
  const grid = runtime.linearGrid(Math.ceil(count / 256));
  const key = `${SCATTER} ${groupKey(out)} ${picks} ${rowKey(xRows)} ${indices.offset} ${accumulate}`;
  const program = runtime.program(key, () => ({
    kernel: SCATTER,
    detail: `${groups} × ${picks} to ${out.shape[1]} rows of ${columns}`,
    wgsl:
      elementAlias(width) +
      constantHeader({
        COUNT: count,
        COLUMNS: columns / width,
        PICKS: picks,
        GRID_X: grid[0],
        ACCUMULATE: accumulate,
        ...rowData('X', xRows, width),
        ...groupConstants('OUT', out, width),
        INDICES_OFFSET: indices.offset,
      }) +
      scatterWgsl,
    access: ['read', 'read', 'read_write'],
  }));
  runtime.dispatch(program, [x, indices, out], grid, rowScatterCost(groups * picks, columns, accumulate));
}

function requireGroups(
  kernel: string,
  name: string,
  array: GpuArray,
  indices: GpuArray,
): { readonly groups: number; readonly picks: number; readonly columns: number } {
  const [groups, , columns] = array.shape;
  if (array.dtype !== 'f32' || array.shape.length !== 3 || (columns! > 1 && array.strides[2] !== 1)) {
    throw new ShapeError(
      `${kernel}: ${name} must be f32 [G, P, C] with a contiguous last axis, got ${array}`,
    );
  }
  const picks = indices.shape[1];
  if (indices.shape.length !== 2 || indices.shape[0] !== groups || picks === undefined) {
    throw new ShapeError(
      `${kernel}: indices must be u32 [${groups}, I] for ${name} ${array}, got ${indices}`,
    );
  }
  requireContiguous(kernel, 'indices', indices, groups! * picks, 'u32');
  return { groups: groups!, picks, columns: columns! };
}

function groupWidth(grouped: GpuArray, rows: RowLayout): 1 | 4 {
  const [groupStride, rowStride] = grouped.strides as [number, number];
  const { offset } = grouped;
  return elementWidth([rows, { ...rows, offset, innerStride: rowStride, outerStride: groupStride }]);
}

function groupConstants(prefix: string, grouped: GpuArray, width: 1 | 4): WgslConstants {
  const [groupStride, rowStride] = grouped.strides as [number, number];
  return {
    [`${prefix}_OFFSET`]: grouped.offset / width,
    [`${prefix}_GROUP_STRIDE`]: groupStride / width,
    [`${prefix}_ROW_STRIDE`]: rowStride / width,
  };
}

function groupKey(grouped: GpuArray): string {
  return `${grouped.shape.join('x')}+${grouped.offset}/${grouped.strides.join(':')}`;
}
