import { ShapeError } from '../runtime/errors.js';
import { elementBytes, type GpuArray, type RowLayout } from '../runtime/gpu-array.js';
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

// Up to this many terms a second dispatch costs more than the parallelism it gives. A processor has little use for
// that: beside chunks of √808 terms, seven of 116 took 0.83 of the time.
const TERMS_IN_ONE_STAGE = { software: 128, gpu: 64 };

function chunkLengthFor(count: number, isSoftware: boolean): number {
  const least = TERMS_IN_ONE_STAGE[isSoftware ? 'software' : 'gpu'];
  if (count <= least) return count;
  const root = Math.ceil(Math.sqrt(count));
  if (!isSoftware) return root;
  // Of one length, so that both cores end together.
  return Math.ceil(count / Math.ceil(count / Math.max(root, least)));
}

/** Cost of summing `count` slabs of `size` elements, without moving the partial sums of long sums. */
export function sumLeadingCost(
  count: number,
  size: number,
  { accumulate = false, xBytes = 4 }: { accumulate?: boolean; xBytes?: number } = {},
): Cost {
  return {
    macs: 0,
    flops: count * size,
    bytesRead: size * (xBytes * count + (accumulate ? 4 : 0)),
    bytesWritten: 4 * size,
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
 *
 * @throws ShapeError unless x has rank 3 and out the shape of one slab of it
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
  options: SumOptions,
): void {
  const [count, rows, columns] = x.shape as [number, number, number];
  if (x.dtype !== 'f32' || x.shape.length !== 3 || (columns > 1 && x.strides[2] !== 1)) {
    throw new ShapeError(`${kernel}: x must be f32 of rank 3 with a contiguous last axis, got ${x}`);
  }
  requireWritableRows(kernel, 'out', out, { rows, columns });
  requireSeparate(kernel, { out }, { x });
  const [stride, rowStride] = x.strides as [number, number];
  const starts = {
    rows: count,
    columns,
    offset: x.offset,
    inner: count,
    innerStride: stride,
    outerStride: 0,
  };
  sum(runtime, kernel, { array: x, starts, rows, rowStride }, out, options);
}

/** Σ over all rows of x, f32 or f16, whose start may lie at two strides, into a row `out`. Arrays are checked by the caller. */
export function sumRows(
  runtime: Runtime,
  kernel: string,
  x: GpuArray,
  out: GpuArray,
  options: SumOptions,
): void {
  sum(runtime, kernel, { array: x, starts: x.rows(), rows: 1, rowStride: 0 }, out, options);
}

interface SumOptions {
  readonly scale: number;
  readonly accumulate: boolean;
}

/** What is added up: slabs of `rows` rows. */
interface Slabs {
  readonly array: GpuArray;
  /** First rows of the slabs. */
  readonly starts: RowLayout;
  readonly rows: number;
  readonly rowStride: number;
}

function sum(runtime: Runtime, kernel: string, slabs: Slabs, out: GpuArray, options: SumOptions): void {
  const { rows: count, columns } = slabs.starts;
  const chunkLength = chunkLengthFor(count, runtime.adapter.isSoftware);
  const chunks = Math.ceil(count / chunkLength);
  if (chunks === 1) {
    sumChunks(runtime, kernel, slabs, out, count, options);
    return;
  }
  const { rows } = slabs;
  const partials = runtime.empty([chunks, rows, columns], 'f32', `${kernel} partials`);
  sumChunks(runtime, kernel, slabs, partials, chunkLength, { ...options, scale: 1, accumulate: false });
  const size = rows * columns;
  const starts = { rows: chunks, columns, offset: 0, inner: chunks, innerStride: size, outerStride: 0 };
  sumChunks(runtime, kernel, { array: partials, starts, rows, rowStride: columns }, out, chunks, options);
  runtime.release(partials);
}

function sumChunks(
  runtime: Runtime,
  kernel: string,
  { array: x, starts, rows, rowStride }: Slabs,
  out: GpuArray,
  chunkLength: number,
  { scale, accumulate }: SumOptions,
): void {
  const { rows: count, columns } = starts;
  const outRows = out.rows();
  const width = elementWidth([starts, { ...starts, innerStride: rowStride }, outRows]);
  const chunks = Math.ceil(count / chunkLength);
  const size = (rows * columns) / width;
  const grid = runtime.linearGrid(Math.ceil(size / 64));
  const outSize = chunks * rows * columns;
  // Each partial sum saves an addition here that joining them takes.
  const additions = chunks === 1 ? count : count - chunks;
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
      ...rowData('X', starts, width),
      X_ROW_STRIDE: rowStride / width,
      ...rowData('OUT', outRows, width),
    },
    arrays: { x, out },
    workgroups: [...grid, chunks],
    cost: {
      macs: 0,
      flops: additions * rows * columns,
      bytesRead: elementBytes(x.dtype) * count * rows * columns + (accumulate ? 4 * outSize : 0),
      bytesWritten: 4 * outSize,
    },
  });
}
