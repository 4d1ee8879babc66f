import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Runtime } from '../runtime/runtime.js';

/** Operands of `columnSum`; f32. */
export interface ColumnSumOperands {
  /** Row view [R, C] (`GpuArray.rows()`). */
  readonly x: GpuArray;
  /** Contiguous, C elements. */
  readonly out: GpuArray;
  /** Adds to what `out` holds. */
  readonly accumulate?: boolean;
}

/** out[c] = Σ_r x[r, c]: the bias gradient of a linear layer. Throws `ShapeError` when shapes do not fit. */
export function columnSum(_runtime: Runtime, operands: ColumnSumOperands): void {
  throw new ShapeError(`columnSum cannot add ${operands.x} yet`);
}
