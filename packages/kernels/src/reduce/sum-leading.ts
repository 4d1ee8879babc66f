import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import {
  elementAlias,
  elementWidth,
  requireSeparate,
  requireWritableRows,
  rowData,
} from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import { f32 } from '../runtime/wgsl.js';
import rowStartWgsl from '../runtime/row-start.wgsl';
import sumLeadingWgsl from './sum-leading.wgsl';

export const sumLeadingVariants: readonly Variant[] = [{ name: 'columns', needs: [], prefers: 'any' }];

// Below this many terms a second dispatch costs more than the parallelism it gives.
const TERMS_IN_ONE_STAGE = 64;

function chunking(count: number): { chunkLength: number; chunks: number } {
  if (count <= TERMS_IN_ONE_STAGE) return { chunkLength: count, chunks: 1 };
  const chunkLength = Math.ceil(Math.sqrt(count));
  return { chunkLength, chunks: Math.ceil(count / chunkLength) };
}

/** Cost of summing `count` slabs of `size` elements, partial sums included. */
export function sumLeadingCost(
  count: number,
  size: number,
  { accumulate = false }: { accumulate?: boolean } = {},
): Cost {
  const { chunks } = chunking(count);
  const partials = chunks > 1 ? chunks : 0;
  return {
    macs: 0,
    flops: (count + partials) * size,
    bytesRead: 4 * size * (count + partials + (accumulate ? 1 : 0)),
    bytesWritten: 4 * size * (partials + 1),
  };
}

export interface SumLeadingArrays {
  /** [B, R, C]; any strides on the first two axes. */
  readonly x: GpuArray;
  /** R rows of C columns, e.g. [R, C]. */
  readonly out: GpuArray;
  /** Add to `out` instead of overwriting it. */
  readonly accumulate?: boolean;
}

/**
 * out[r, c] = Σ_b x[b, r, c], in a fixed order: the gradient of broadcasting over a leading axis.
 * Throws `ShapeError` unless x has rank 3 and out the shape of one slab of it.
 */
export function sumLeading(runtime: Runtime, { x, out, accumulate = false }: SumLeadingArrays): void {
  sumSlabs(runtime, 'sum-leading', x, out, { scale: 1, accumulate });
}

/** As `sumLeading`, scaled, under another kernel's name in messages and in the ledger. */
export function sumSlabs(
  runtime: Runtime,
  kernel: string,
  x: GpuArray,
  out: GpuArray,
  options: { readonly scale: number; readonly accumulate: boolean },
): void {
  const [count, rows, columns] = x.shape;
  if (x.dtype !== 'f32' || x.shape.length !== 3 || (columns! > 1 && x.strides[2] !== 1)) {
    throw new ShapeError(`${kernel}: x must be f32 of rank 3 with a contiguous last axis, got ${x}`);
  }
  requireWritableRows(kernel, 'out', out, { rows: rows!, columns: columns! });
  requireSeparate(kernel, { out }, { x });
  const { chunkLength, chunks } = chunking(count!);
  if (chunks === 1) {
    sumChunks(runtime, kernel, x, out, count!, options);
    return;
  }
  const partials = runtime.empty([chunks, rows!, columns!], 'f32', `${kernel} partials`);
  sumChunks(runtime, kernel, x, partials, chunkLength, { scale: 1, accumulate: false });
  sumChunks(runtime, kernel, partials, out, chunks, options);
  runtime.release(partials);
}

function sumChunks(
  runtime: Runtime,
  kernel: string,
  x: GpuArray,
  out: GpuArray,
  chunkLength: number,
  { scale, accumulate }: { readonly scale: number; readonly accumulate: boolean },
): void {
  const [count, rows, columns] = x.shape as [number, number, number];
  const [stride, rowStride] = x.strides as [number, number, number];
  const outRows = out.rows();
  const xRows = { rows, columns, offset: x.offset, inner: rows, innerStride: rowStride, outerStride: stride };
  const width = elementWidth([xRows, outRows]);
  const chunks = Math.ceil(count / chunkLength);
  const size = (rows * columns) / width;
  const grid = runtime.linearGrid(Math.ceil(size / 64));
  const outSize = chunks * rows * columns;
  runtime.run({
    kernel,
    wgsl: [elementAlias(width), rowStartWgsl, sumLeadingWgsl],
    data: {
      COUNT: count,
      ROWS: rows,
      COLUMNS: columns / width,
      CHUNK_LENGTH: chunkLength,
      SCALE: f32(scale),
      ACCUMULATE: Number(accumulate),
      GRID_X: grid[0],
      X_OFFSET: x.offset / width,
      X_STRIDE: stride / width,
      X_ROW_STRIDE: rowStride / width,
      ...rowData('OUT', outRows, width),
    },
    arrays: { x, out },
    workgroups: [...grid, chunks],
    cost: {
      macs: 0,
      flops: count * rows * columns,
      bytesRead: 4 * (count * rows * columns + (accumulate ? outSize : 0)),
      bytesWritten: 4 * outSize,
    },
  });
}
