import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import {
  elementAlias,
  elementWidth,
  requireContiguous,
  requireRows,
  requireSeparate,
  rowData,
} from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import rowStartWgsl from '../runtime/row-start.wgsl';
import columnSumWgsl from './column-sum.wgsl';

/** Operands of `columnSum`; f32. */
export interface ColumnSumOperands {
  /** Row view [R, C] (`GpuArray.rows()`). */
  readonly x: GpuArray;
  /** Contiguous, C elements. */
  readonly out: GpuArray;
  /** Adds to what `out` holds. */
  readonly accumulate?: boolean;
}

export const columnSumVariants: readonly Variant[] = [{ name: 'columns', needs: [], prefers: 'any' }];

const INVOCATIONS = 32;
// Parts of this many rows give a GPU work to share out, and are long enough to be worth their partial sum.
const ROWS_PER_PART = 64;
const MOST_PARTS = 128;
const NO_COST: Cost = { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 };

/** Bytes of x and out, once each; additions are not counted, as for all element-wise work. */
export function columnSumCost(rows: number, columns: number, accumulate = false): Cost {
  return {
    macs: 0,
    flops: 0,
    bytesRead: 4 * columns * (rows + (accumulate ? 1 : 0)),
    bytesWritten: 4 * columns,
  };
}

/**
 * out[c] = Σ_r x[r, c], or out[c] += … with `accumulate`: the bias gradient of a linear layer. Many rows are
 * summed in two stages, always in the same order. Throws `ShapeError` when shapes do not fit or when `out`
 * shares its buffer with `x`.
 */
export function columnSum(runtime: Runtime, { x, out, accumulate = false }: ColumnSumOperands): void {
  const { rows, columns } = requireRows('column-sum', 'x', x);
  requireContiguous('column-sum', 'out', out, columns);
  requireSeparate('column-sum', { out }, { x });
  const parts = Math.min(Math.ceil(rows / ROWS_PER_PART), MOST_PARTS);
  if (parts === 1) {
    sumRows(runtime, x, out, { parts, accumulate, cost: columnSumCost(rows, columns, accumulate) });
    return;
  }
  const partials = runtime.empty([parts, columns], 'f32', 'column-sum partial sums');
  const cost = columnSumCost(rows, columns, accumulate);
  sumRows(runtime, x, partials, { parts, accumulate: false, cost });
  sumRows(runtime, partials, out, { parts: 1, accumulate, cost: NO_COST });
  runtime.release(partials);
}

interface Stage {
  readonly parts: number;
  readonly accumulate: boolean;
  readonly cost: Cost;
}

function sumRows(runtime: Runtime, x: GpuArray, out: GpuArray, stage: Stage): void {
  const { parts, accumulate } = stage;
  const layout = x.rows();
  const width = out.offset % 4 === 0 ? elementWidth([layout]) : 1;
  const columns = layout.columns / width;
  runtime.run({
    kernel: 'column-sum',
    wgsl: [elementAlias(width), rowStartWgsl, columnSumWgsl],
    constants: { INVOCATIONS },
    data: {
      ROWS: layout.rows,
      COLUMNS: columns,
      ROWS_PER_PART: Math.ceil(layout.rows / parts),
      ...rowData('X', layout, width),
      OUT_OFFSET: out.offset / width,
      ADD_TO_OUT: Number(accumulate),
    },
    arrays: { x, out },
    workgroups: [Math.ceil(columns / INVOCATIONS), parts],
    cost: stage.cost,
  });
}
