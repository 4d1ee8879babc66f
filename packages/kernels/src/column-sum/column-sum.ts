import { sumLeadingCost, sumLeadingVariants, sumRows } from '../reduce/sum-leading.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import { requireContiguous, requireRows, requireSeparate } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';

/** Operands of `columnSum`. */
export interface ColumnSumOperands {
  /** Row view [R, C] (`GpuArray.rows()`), f32 or f16. */
  readonly x: GpuArray;
  /** Contiguous, C elements. */
  readonly out: GpuArray;
  /** Adds to what `out` holds. */
  readonly accumulate?: boolean;
}

export const columnSumVariants = sumLeadingVariants;

export function columnSumCost(
  rows: number,
  columns: number,
  options: { accumulate?: boolean; xBytes?: number } = {},
): Cost {
  return sumLeadingCost(rows, columns, options);
}

/**
 * out[c] = Σ_r x[r, c], or out[c] += … with `accumulate`: the bias gradient of a linear layer. Many rows are summed in
 * two stages, always in the same order.
 *
 * @throws ShapeError when shapes do not fit or when `out` shares its buffer with `x`
 */
export function columnSum(runtime: Runtime, { x, out, accumulate = false }: ColumnSumOperands): void {
  const { columns } = requireRows('column-sum', 'x', x, { mayBeHalf: true });
  requireContiguous('column-sum', 'out', out, columns);
  requireSeparate('column-sum', { out }, { x });
  sumRows(runtime, 'column-sum', x, out, { scale: 1, accumulate });
}
