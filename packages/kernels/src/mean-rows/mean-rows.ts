import { elementwise, elementwiseVariants } from '../elementwise/elementwise.js';
import { sumLeadingCost, sumSlabs } from '../reduce/sum-leading.js';
import { ShapeError } from '../runtime/errors.js';
import { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import { requireRows } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import { f32 } from '../runtime/wgsl.js';

export const meanRowsVariants: readonly Variant[] = [{ name: 'columns', needs: [], prefers: 'any' }];
export const meanRowsBackwardVariants = elementwiseVariants;

/** Cost of averaging `length` rows of `columns` in each of `groups` groups. */
export function meanRowsCost(groups: number, length: number, columns: number): Cost {
  return sumLeadingCost(length, groups * columns);
}

export function meanRowsBackwardCost(
  groups: number,
  length: number,
  columns: number,
  accumulate: boolean,
): Cost {
  const count = groups * length * columns;
  return {
    macs: 0,
    flops: accumulate ? 2 * count : count,
    bytesRead: 4 * (groups * columns + (accumulate ? count : 0)),
    bytesWritten: 4 * count,
  };
}

/**
 * out[b, c] = mean over l of x[b, l, c]. `x` is [B, L, C] with any strides on the first two axes (for example the
 * representative rows of each clip); `out` has B rows of C columns.
 *
 * @throws ShapeError otherwise
 */
export function meanRows(
  runtime: Runtime,
  { x, out }: { readonly x: GpuArray; readonly out: GpuArray },
): void {
  const [groups, length, columns] = requireGroups('mean-rows', 'x', x);
  // The sum runs over the leading axis, so that axis becomes the rows of a group.
  const [groupStride, rowStride] = x.strides;
  const strides = [rowStride!, groupStride!, 1];
  const byRow = new GpuArray(x.storage, x.dtype, [length, groups, columns], strides, x.offset);
  sumSlabs(runtime, 'mean-rows', byRow, out, { scale: 1 / length, accumulate: false });
}

/**
 * dx[b, l, c] = dOut[b, c] / L, or dx += … with `accumulate`. `dx` is [B, L, C] with any strides on the first two axes,
 * `dOut` has B rows of C columns.
 *
 * @throws ShapeError otherwise
 */
export function meanRowsBackward(
  runtime: Runtime,
  {
    dOut,
    dx,
    accumulate = false,
  }: { readonly dOut: GpuArray; readonly dx: GpuArray; readonly accumulate?: boolean },
): void {
  const kernel = 'mean-rows-backward';
  const [groups, length, columns] = requireGroups(kernel, 'dx', dx);
  const dOutRows = requireRows(kernel, 'dOut', dOut, { rows: groups, columns });
  if (dOutRows.inner !== groups) {
    throw new ShapeError(`${kernel}: dOut must have its rows at one stride, got ${dOut}; copy it`);
  }
  elementwise(runtime, {
    kernel,
    inputs: {
      dOut: {
        array: dOut,
        layout: {
          ...dOutRows,
          rows: groups * length,
          inner: length,
          innerStride: 0,
          outerStride: dOutRows.innerStride,
        },
      },
    },
    out: dx,
    outName: 'dx',
    value: 'SHARE * dOut',
    data: { SHARE: f32(1 / length) },
    accumulate,
    cost: meanRowsBackwardCost(groups, length, columns, accumulate),
  });
}

function requireGroups(kernel: string, name: string, array: GpuArray): readonly [number, number, number] {
  if (array.shape.length !== 3) throw new ShapeError(`${kernel}: ${name} must be [B, L, C], got ${array}`);
  return array.shape as readonly number[] as readonly [number, number, number];
}
