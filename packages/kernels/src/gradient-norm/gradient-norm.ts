import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import totalWgsl from './gradient-norm-total.wgsl';
import normWgsl from './gradient-norm.wgsl';

export const gradientNormVariants: readonly Variant[] = [{ name: 'two-stage', needs: [], prefers: 'any' }];

const ELEMENTS_PER_PAIR = 4096;

/** Banks of gradients and where their norm goes. */
export interface GradientNormOptions {
  /** Contiguous f32 arrays of any shapes, at least one. */
  readonly banks: readonly GpuArray[];
  /** f32 [2]: the norm and the number of non-finite elements. */
  readonly out: GpuArray;
}

/** Costs of both stages for banks of these sizes. */
export function gradientNormCost(counts: readonly number[]): Cost {
  const elements = counts.reduce((sum, count) => sum + count, 0);
  const pairs = counts.reduce((sum, count) => sum + pairsOf(count), 0);
  return { macs: 0, flops: 0, bytesRead: 4 * elements + 8 * pairs, bytesWritten: 8 * pairs + 8 };
}

/**
 * out[0] = √(Σ g²) over the finite elements of all banks, out[1] = how many elements are NaN or infinite (exact up
 * to 2²⁴ of them). out[1] = 0 with an infinite out[0] means that squares overflowed (|g| beyond 1.8e19). The same
 * bits at every run; relative error about 1e-7.
 * Throws `ShapeError` for strided arrays, other types and sizes, and when there is no bank.
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
  const pairCount = banks.reduce((sum, { size }) => sum + pairsOf(size), 0);
  const pairs = runtime.empty([pairCount, 2], 'f32', 'gradient-norm pairs');
  let firstPair = 0;
  for (const bank of banks) {
    sumBank(runtime, bank, pairs, firstPair);
    firstPair += pairsOf(bank.size);
  }
  runtime.run({
    kernel: 'gradient-norm',
    wgsl: [totalWgsl],
    data: { PAIRS: pairCount, OUT_OFFSET: out.offset },
    arrays: { pairs, out },
    workgroups: [1],
    cost: { macs: 0, flops: 0, bytesRead: 8 * pairCount, bytesWritten: 8 },
  });
  runtime.release(pairs);
}

function sumBank(runtime: Runtime, bank: GpuArray, pairs: GpuArray, firstPair: number): void {
  const count = bank.size;
  const chunks = pairsOf(count);
  const grid = runtime.linearGrid(chunks);
  runtime.run({
    kernel: 'gradient-norm',
    wgsl: [normWgsl],
    data: { COUNT: count, GRADIENTS_OFFSET: bank.offset, GRID_X: grid[0], FIRST_PAIR: firstPair },
    arrays: { gradients: bank, pairs },
    workgroups: grid,
    cost: { macs: 0, flops: 0, bytesRead: 4 * count, bytesWritten: 8 * chunks },
  });
}

function pairsOf(count: number): number {
  return Math.ceil(count / ELEMENTS_PER_PAIR);
}
