import { columnSum, GpuArray, rowAdd, sumLeading } from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';

/** Fixed rows to add, e.g. sinusoidal positions: row `indices[r]` of `table` [P, C] is added to row r. */
export interface TableRows {
  readonly table: GpuArray;
  readonly indices: GpuArray;
}

/**
 * y[r] = x[r] + table[indices[r]], written to `into` when given (e.g. the token rows of a region-major
 * buffer). x [..., C]; the table is not trained.
 */
export function addRows(x: Tensor, rows: TableRows, { into }: { into?: GpuArray } = {}): Tensor {
  const { engine } = x;
  const out = into ?? engine.empty(x.shape, 'f32', 'add-rows');
  rowAdd(engine.runtime, { a: x.array, ...rows, out });
  const y = engine.output(out, [x], 'add-rows');
  if (y.requiresGrad) {
    engine.record({
      name: 'add-rows',
      inputs: [x],
      outputs: [y],
      saved: [],
      backward: (gradients) => gradients.donate(x, gradients.of(y)),
    });
  }
  return y;
}

/**
 * Repeats x [R, C] over new leading axes, adding table rows when given: [leading..., R, C].
 * Backward sums over the leading axes.
 */
export function broadcastRows(
  x: Tensor,
  leading: readonly number[],
  { rows, into }: { rows?: TableRows; into?: GpuArray } = {},
): Tensor {
  const { engine } = x;
  const repeated = x.array.broadcastLeading(...leading);
  const out = into ?? engine.empty(repeated.shape, 'f32', 'broadcast-rows');
  rowAdd(engine.runtime, { a: repeated, ...rows, out });
  const y = engine.output(out, [x], 'broadcast-rows');
  if (y.requiresGrad) {
    engine.record({
      name: 'broadcast-rows',
      inputs: [x],
      outputs: [y],
      saved: [],
      backward: (gradients) => {
        const { array, accumulate } = gradients.target(x);
        const dy = gradients.of(y);
        const rowsOfX = x.array.size / x.extent(-1);
        if (rowsOfX === 1) {
          columnSum(engine.runtime, { x: dy, out: array, accumulate });
        } else {
          const groups = asGroups(dy, rowsOfX, x.extent(-1));
          sumLeading(engine.runtime, { x: groups, out: array.reshape([rowsOfX, x.extent(-1)]), accumulate });
        }
      },
    });
  }
  return y;
}

// The gradient [leading..., R, C] as [B, R, C]; axes of extent 1 may have any stride.
function asGroups(dy: GpuArray, rows: number, columns: number): GpuArray {
  if (dy.isContiguous) return dy.reshape([dy.size / (rows * columns), rows, columns]);
  const axes = dy.shape
    .map((extent, axis) => ({ extent, stride: dy.strides[axis]! }))
    .filter(({ extent }) => extent > 1);
  if (axes.length === 2) axes.unshift({ extent: 1, stride: 0 });
  if (axes.length !== 3 || axes[1]!.extent !== rows) {
    throw new RangeError(`the gradient of a broadcast cannot be summed over the strided view ${dy}`);
  }
  return new GpuArray(
    dy.storage,
    dy.dtype,
    axes.map(({ extent }) => extent),
    axes.map(({ stride }) => stride),
    dy.offset,
  );
}
