import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import normWgsl from './gradient-norm.wgsl';

export const gradientNormVariants: readonly Variant[] = [{ name: 'chunks', needs: [], prefers: 'any' }];

const TERMS = 4096;

/** Banks of gradients and where their norm goes. */
export interface GradientNormOptions {
  /** Contiguous f32 arrays of any shapes, at least one. */
  readonly banks: readonly GpuArray[];
  /** f32 [2]: the norm and the number of non-finite elements. */
  readonly out: GpuArray;
}

/** Costs of all stages for banks of these sizes. */
export function gradientNormCost(counts: readonly number[]): Cost {
  const elements = counts.reduce((sum, count) => sum + count, 0);
  let pairs = counts.reduce((sum, count) => sum + chunksOf(count), 0);
  let [bytesRead, bytesWritten] = [4 * elements, 8 * pairs];
  do {
    bytesRead += 8 * pairs;
    pairs = chunksOf(pairs);
    bytesWritten += 8 * pairs;
  } while (pairs > 1);
  return { macs: 0, flops: 0, bytesRead, bytesWritten };
}

/**
 * out[0] = √(Σ g²) over the finite elements of all banks, out[1] = how many elements are NaN or infinite (exact up to
 * 2²⁴ of them). out[1] = 0 with an infinite out[0] means that squares overflowed (|g| beyond 1.8e19). The same bits at
 * every run; relative error about 1e-7.
 *
 * @throws ShapeError for strided arrays, other types and sizes, and when there is no bank
 */
export function gradientNorm(runtime: Runtime, { banks, out }: GradientNormOptions): void {
  if (banks.length === 0) throw new ShapeError('gradient-norm: give at least one bank of gradients');
  for (const bank of banks) {
    if (bank.dtype !== 'f32' || !bank.isContiguous) {
      throw new ShapeError(`gradient-norm: a bank is ${bank}: give contiguous f32 arrays`);
    }
  }
  if (out.dtype !== 'f32' || out.size !== 2 || !out.isContiguous) {
    throw new ShapeError(`gradient-norm: out is ${out}: give a contiguous f32[2]`);
  }
  const chunks = banks.reduce((sum, { size }) => sum + chunksOf(size), 0);
  let sums = emptySums(runtime, chunks);
  let first = 0;
  for (const bank of banks) {
    addUp(runtime, { terms: bank, planes: 1, count: bank.size, out: sums, first, isLast: false });
    first += chunksOf(bank.size);
  }
  for (let count = chunks, isLast = false; !isLast; count = chunksOf(count)) {
    isLast = chunksOf(count) === 1;
    const next = isLast ? out : emptySums(runtime, chunksOf(count));
    addUp(runtime, { terms: sums, planes: 2, count, out: next, first: 0, isLast });
    runtime.release(sums);
    sums = next;
  }
}

/** Sums of squares of chunks, and behind them as many numbers of elements that are not finite. */
function emptySums(runtime: Runtime, chunks: number): GpuArray {
  return runtime.empty([2, chunks], 'f32', 'gradient-norm sums');
}

interface Stage {
  readonly terms: GpuArray;
  /** Of terms: 1 where they are elements, 2 where they are the sums of an earlier stage. */
  readonly planes: 1 | 2;
  /** Of terms, in a plane. */
  readonly count: number;
  readonly out: GpuArray;
  /** Place of the first sum in a plane of `out`. */
  readonly first: number;
  readonly isLast: boolean;
}

function addUp(runtime: Runtime, { terms, planes, count, out, first, isLast }: Stage): void {
  const chunks = chunksOf(count);
  const [x, y] = runtime.linearGrid(chunks);
  runtime.run({
    kernel: 'gradient-norm',
    wgsl: [normWgsl],
    data: {
      COUNT: count,
      TERMS_OFFSET: terms.offset,
      ARE_SUMS: Number(planes === 2),
      OUT_OFFSET: out.offset + first,
      OUT_PLANE: out.size / 2,
      IS_LAST: Number(isLast),
      GRID_X: x,
    },
    arrays: { terms, out },
    workgroups: [x, y, planes],
    cost: { macs: 0, flops: 0, bytesRead: 4 * planes * count, bytesWritten: 8 * chunks },
  });
}

function chunksOf(count: number): number {
  return Math.ceil(count / TERMS);
}
