/** What the kernels on pixels share: a dispatch works on many frames, each described by a record of a table. */
import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';

/** Rows that an invocation works on: software drivers spend longer on starting an invocation than on a pixel. */
export const ROWS_PER_INVOCATION = 16;
const COLUMNS_PER_WORKGROUP = 32;

/** @throws ShapeError unless `jobs` is a contiguous u32 array [n, record]; returns n */
export function requireJobs(kernel: string, jobs: GpuArray, record: number): number {
  const [count, words] = jobs.shape;
  if (jobs.dtype !== 'u32' || jobs.shape.length !== 2 || words !== record || !jobs.isContiguous) {
    throw new ShapeError(`${kernel}: jobs is ${jobs}: give a contiguous u32 array [jobs, ${record}]`);
  }
  return count!;
}

/** @throws ShapeError for an array that is not contiguous u32 from the beginning of its memory on; records count from there */
export function requireWords(kernel: string, arrays: Readonly<Record<string, GpuArray>>): void {
  for (const [name, array] of Object.entries(arrays)) {
    if (array.dtype === 'u32' && array.isContiguous && array.offset === 0) continue;
    const at = array.isContiguous ? ` at offset ${array.offset}` : '';
    throw new ShapeError(
      `${kernel}: ${name} is ${array}${at}: give a contiguous u32 array from the beginning of its memory on`,
    );
  }
}

/** Workgroups of 32 columns and 16 rows, for each of `frames`. */
export function pixelWorkgroups(width: number, height: number, frames: number): [number, number, number] {
  return [Math.ceil(width / COLUMNS_PER_WORKGROUP), Math.ceil(height / ROWS_PER_INVOCATION), frames];
}
