import scalarWgsl from './element-f32.wgsl';
import vectorWgsl from './element-vec4f.wgsl';
import { ShapeError } from './errors.js';
import type { GpuArray, RowLayout } from './gpu-array.js';
import { f32, type KernelData } from './wgsl.js';

/** Elements that one load moves: 4 when every row of every layout starts and ends on a multiple of 4, else 1. */
export function elementWidth(layouts: readonly RowLayout[]): 1 | 4 {
  return areMultiplesOf(4, layouts) ? 4 : 1;
}

/** Whether every row of every layout starts and ends on a multiple of `count` elements. */
export function areMultiplesOf(count: number, layouts: readonly RowLayout[]): boolean {
  for (const { columns, offset, innerStride, outerStride } of layouts) {
    if (columns % count || offset % count || innerStride % count || outerStride % count) return false;
  }
  return true;
}

/** WGSL that defines `Element`, the type of one load of that width, for kernels that treat all columns alike. */
export function elementAlias(width: 1 | 4): string {
  return width === 4 ? vectorWgsl : scalarWgsl;
}

/** See row-start.wgsl. */
export const MOST_ROWS_OF_TWO_STRIDES = 2 ** 22;

/**
 * The data with which a kernel addresses the rows of one array by row-start.wgsl: `X_OFFSET`, `X_INNER`, `X_INVERSE`,
 * `X_INNER_STRIDE`, `X_OUTER_STRIDE`, counted in loads of `width` elements.
 *
 * @throws ShapeError for rows at two strides of which there are more than 2²²
 */
export function rowData(prefix: string, layout: RowLayout, width: 1 | 4 = 1): KernelData {
  const { rows, offset, inner, innerStride, outerStride } = layout;
  if (inner < rows && rows > MOST_ROWS_OF_TWO_STRIDES) {
    throw new ShapeError(
      `${rows} rows at two strides (${inner} rows ${innerStride} apart, groups of them ${outerStride} apart) are more` +
        ` than kernels can address, ${MOST_ROWS_OF_TWO_STRIDES}; split them or copy them side by side`,
    );
  }
  return {
    [`${prefix}_OFFSET`]: offset / width,
    [`${prefix}_INNER`]: inner,
    [`${prefix}_INVERSE`]: f32(inner < rows ? 1 / inner : 0),
    [`${prefix}_INNER_STRIDE`]: innerStride / width,
    [`${prefix}_OUTER_STRIDE`]: outerStride / width,
  };
}

/** What rows of an argument must be like. */
export interface ExpectedRows {
  readonly rows?: number;
  readonly columns?: number;
  /** They may be f16 as well. */
  readonly mayBeHalf?: boolean;
}

/** The rows of an f32 argument, which must number `rows` × `columns` where those are given. */
export function requireRows(
  kernel: string,
  name: string,
  array: GpuArray,
  expected: ExpectedRows = {},
): RowLayout {
  const { mayBeHalf = false } = expected;
  if (array.dtype !== 'f32' && !(mayBeHalf && array.dtype === 'f16')) {
    throw new ShapeError(`${kernel}: ${name} must be f32${mayBeHalf ? ' or f16' : ''}, got ${array}`);
  }
  const layout = array.rows();
  const { rows = layout.rows, columns = layout.columns } = expected;
  if (layout.rows !== rows || layout.columns !== columns) {
    throw new ShapeError(`${kernel}: ${name} must have ${rows} rows of ${columns} columns, got ${array}`);
  }
  return layout;
}

/** As `requireRows`, for an array that is written: no element may be addressed twice. */
export function requireWritableRows(
  kernel: string,
  name: string,
  array: GpuArray,
  expected: ExpectedRows = {},
): RowLayout {
  const layout = requireRows(kernel, name, array, expected);
  const outer = layout.rows / layout.inner;
  if ((layout.inner > 1 && layout.innerStride < layout.columns) || (outer > 1 && layout.outerStride === 0)) {
    throw new ShapeError(`${kernel}: ${name} is written, but rows of ${array} share memory`);
  }
  return layout;
}

/** A contiguous vector or matrix argument of exactly `size` elements. */
export function requireContiguous(
  kernel: string,
  name: string,
  array: GpuArray,
  size: number,
  dtype: 'f32' | 'u32' = 'f32',
): void {
  if (array.dtype !== dtype || array.size !== size || !array.isContiguous) {
    throw new ShapeError(
      `${kernel}: ${name} must be a contiguous ${dtype} array of ${size} elements, got ${array}`,
    );
  }
}

/** WebGPU binds a buffer either for reading or, once, for writing: outputs may share a buffer with nothing else. */
export function requireSeparate(
  kernel: string,
  outputs: Readonly<Record<string, GpuArray | undefined>>,
  inputs: Readonly<Record<string, GpuArray | undefined>>,
): void {
  for (const name in outputs) {
    const output = outputs[name];
    if (!output) continue;
    for (const other in inputs) {
      if (inputs[other]?.storage.buffer === output.storage.buffer) throw sharedBuffer(kernel, name, other);
    }
    for (const other in outputs) {
      if (other === name) break;
      if (outputs[other]?.storage.id === output.storage.id) throw sharedBuffer(kernel, other, name);
    }
  }
}

function sharedBuffer(kernel: string, output: string, other: string): ShapeError {
  return new ShapeError(
    `${kernel}: ${output} and ${other} share a buffer, which one dispatch cannot bind twice; copy one`,
  );
}
