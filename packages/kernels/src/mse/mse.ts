import { elementwise, elementwiseVariants } from '../elementwise/elementwise.js';
import { sumAll } from '../reduce/sum-all.js';
import { workgroupSumVariants } from '../reduce/workgroup-sum.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import { requireContiguous, requireRows, requireSeparate, requireWritableRows } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import { f32 } from '../runtime/wgsl.js';
import { squaredErrors } from './squared-errors.js';

const KERNEL = 'mse';
const BACKWARD_KERNEL = 'mse-backward';

export const mseVariants = workgroupSumVariants;
export const mseBackwardVariants = elementwiseVariants;

/** Three operations an element: difference, square, sum. That sums are made in parts is the method's, and not counted. */
export function mseCost(count: number): Cost {
  return { macs: 0, flops: 3 * count, bytesRead: 8 * count, bytesWritten: 4 };
}

export function mseBackwardCost(count: number): Cost {
  return { macs: 0, flops: 2 * count, bytesRead: 8 * count, bytesWritten: 4 * count };
}

export interface MseArrays {
  /** Rows of C columns. */
  readonly prediction: GpuArray;
  /** As many rows of C columns. */
  readonly target: GpuArray;
}

/**
 * loss [1] = mean over all elements of (prediction − target)². Sums run in a fixed order.
 *
 * @throws ShapeError for shapes that do not fit or a loss that shares its buffer
 */
export function mse(runtime: Runtime, arrays: MseArrays & { readonly loss: GpuArray }): void {
  const { prediction, target, loss } = arrays;
  const { rows, columns } = requireRows(KERNEL, 'prediction', prediction);
  requireRows(KERNEL, 'target', target, { rows, columns });
  requireContiguous(KERNEL, 'loss', loss, 1);
  requireSeparate(KERNEL, { loss }, { prediction, target });
  const partials = squaredErrors(
    runtime,
    KERNEL,
    { prediction, target },
    { columnGroups: 1, cost: mseCost(prediction.size) },
  );
  sumAll(runtime, { x: partials, out: loss, scale: 1 / prediction.size, isPartOfOther: true });
  runtime.release(partials);
}

export interface MseBackwardArrays extends MseArrays {
  /** As many rows of C columns; written. */
  readonly dPrediction: GpuArray;
  /** [1], a factor known only on the GPU: the cotangent of the loss, or a loss scale. Default 1. */
  readonly gradientScale?: GpuArray;
}

/**
 * Gradient of `mse`: dPrediction = 2 · (prediction − target) / count · gradientScale[0].
 *
 * @throws ShapeError for shapes that do not fit or an output that shares its buffer
 */
export function mseBackward(runtime: Runtime, arrays: MseBackwardArrays): void {
  const { prediction, target, dPrediction, gradientScale } = arrays;
  const { rows, columns } = requireRows(BACKWARD_KERNEL, 'prediction', prediction);
  requireRows(BACKWARD_KERNEL, 'target', target, { rows, columns });
  requireWritableRows(BACKWARD_KERNEL, 'dPrediction', dPrediction, { rows, columns });
  requireSeparate(BACKWARD_KERNEL, { dPrediction }, { prediction, target });
  elementwise(runtime, {
    kernel: BACKWARD_KERNEL,
    inputs: {
      prediction: { array: prediction },
      goal: { array: target },
      gradientScale: gradientScale && { array: gradientScale, as: 'factor' },
    },
    out: dPrediction,
    outName: 'dPrediction',
    value: gradientScale ? '(prediction - goal) * (FACTOR * gradientScale)' : '(prediction - goal) * FACTOR',
    data: { FACTOR: f32(2 / prediction.size) },
    cost: mseBackwardCost(prediction.size),
  });
}
