import { sumAll, sumAllCost } from '../reduce/sum-all.js';
import exponentialWgsl from '../math/exponential.wgsl';
import workgroupMaxWgsl from '../reduce/workgroup-max.wgsl';
import { workgroupConstants, workgroupSumVariants } from '../reduce/workgroup-sum.js';
import workgroupSumWgsl from '../reduce/workgroup-sum.wgsl';
import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import { requireContiguous, requireSeparate } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import { shapeClass } from '../runtime/shape-class.js';
import { selectVariant } from '../runtime/variants.js';
import { f32 } from '../runtime/wgsl.js';
import backwardWgsl from './cross-entropy-backward.wgsl';
import forwardWgsl from './cross-entropy.wgsl';

const KERNEL = 'cross-entropy';
const BACKWARD_KERNEL = 'cross-entropy-backward';

export const crossEntropyVariants = workgroupSumVariants;

function rowsCost(rows: number, columns: number): Cost {
  const count = rows * columns;
  return { macs: 0, flops: 7 * count, bytesRead: 8 * count, bytesWritten: 4 * (count + rows) };
}

/** Seven operations an element, an exponential or logarithm counted as one, and the mean over the rows. */
export function crossEntropyCost(rows: number, columns: number): Cost {
  const perRow = rowsCost(rows, columns);
  const mean = sumAllCost(rows);
  return {
    macs: 0,
    flops: perRow.flops + mean.flops,
    bytesRead: perRow.bytesRead + mean.bytesRead,
    bytesWritten: perRow.bytesWritten + mean.bytesWritten,
  };
}

export function crossEntropyBackwardCost(rows: number, columns: number): Cost {
  const count = rows * columns;
  return { macs: 0, flops: 8 * count, bytesRead: 8 * count, bytesWritten: 4 * count };
}

export interface CrossEntropyArrays {
  /** [B, K] */
  readonly logits: GpuArray;
  /** [B, K], non-negative; rows usually sum to 1 (one-hot, smoothed or mixed labels). */
  readonly targets: GpuArray;
}

/**
 * loss[0] = −1/B · Σ_b Σ_k targets[b, k] · log softmax(logits[b])_k, and where given probabilities [B, K] = softmax.
 * All contiguous f32.
 *
 * @throws ShapeError otherwise
 */
export function softCrossEntropy(
  runtime: Runtime,
  arrays: CrossEntropyArrays & { readonly loss: GpuArray; readonly probabilities?: GpuArray },
): void {
  const { logits, targets, loss } = arrays;
  const { rows, columns } = requireMatrix(KERNEL, arrays);
  requireContiguous(KERNEL, 'loss', loss, 1);
  if (arrays.probabilities) requireContiguous(KERNEL, 'probabilities', arrays.probabilities, rows * columns);
  requireSeparate(KERNEL, { loss, probabilities: arrays.probabilities }, { logits, targets });

  const probabilities =
    arrays.probabilities ?? runtime.empty([rows, columns], 'f32', `${KERNEL} probabilities`);
  const rowLoss = runtime.empty([rows], 'f32', `${KERNEL} row losses`);
  const variant = selectVariant(runtime, KERNEL, crossEntropyVariants, shapeClass(0, rows, columns));
  const grid = runtime.linearGrid(rows);
  runtime.run({
    kernel: KERNEL,
    variant: variant.name,
    wgsl: [workgroupSumWgsl, exponentialWgsl, workgroupMaxWgsl, forwardWgsl],
    constants: workgroupConstants(runtime, variant.invocations),
    data: {
      ROWS: rows,
      COLUMNS: columns,
      GRID_X: grid[0],
      LOGITS_OFFSET: logits.offset,
      TARGETS_OFFSET: targets.offset,
      PROBABILITIES_OFFSET: probabilities.offset,
    },
    arrays: { logits, targets, row_loss: rowLoss, probabilities },
    workgroups: grid,
    cost: rowsCost(rows, columns),
  });
  sumAll(runtime, { x: rowLoss, out: loss, scale: 1 / rows });
  runtime.release(rowLoss);
  if (!arrays.probabilities) runtime.release(probabilities);
}

export interface CrossEntropyBackwardArrays extends CrossEntropyArrays {
  /** [B, K]; written. */
  readonly dLogits: GpuArray;
  /** [1], a factor known only on the GPU: the cotangent of the loss, or a loss scale. Default 1. */
  readonly gradientScale?: GpuArray;
}

/**
 * dLogits[b] = (softmax(logits[b]) · Σ_k targets[b, k] − targets[b]) / B · gradientScale[0]. All contiguous f32.
 *
 * @throws ShapeError otherwise
 */
export function softCrossEntropyBackward(runtime: Runtime, arrays: CrossEntropyBackwardArrays): void {
  const { logits, targets, dLogits, gradientScale } = arrays;
  const { rows, columns } = requireMatrix(BACKWARD_KERNEL, arrays);
  requireContiguous(BACKWARD_KERNEL, 'dLogits', dLogits, rows * columns);
  if (gradientScale) requireContiguous(BACKWARD_KERNEL, 'gradientScale', gradientScale, 1);
  requireSeparate(BACKWARD_KERNEL, { dLogits }, { logits, targets, gradientScale });

  const variant = selectVariant(runtime, BACKWARD_KERNEL, crossEntropyVariants, shapeClass(0, rows, columns));
  const grid = runtime.linearGrid(rows);
  runtime.run({
    kernel: BACKWARD_KERNEL,
    variant: variant.name,
    wgsl: [workgroupSumWgsl, exponentialWgsl, workgroupMaxWgsl, backwardWgsl],
    constants: workgroupConstants(runtime, variant.invocations),
    data: {
      ROWS: rows,
      COLUMNS: columns,
      GRID_X: grid[0],
      INVERSE_ROWS: f32(1 / rows),
      LOGITS_OFFSET: logits.offset,
      TARGETS_OFFSET: targets.offset,
      D_LOGITS_OFFSET: dLogits.offset,
      SCALE_OFFSET: gradientScale?.offset ?? 0,
    },
    arrays: { logits, targets, gradient_scale: gradientScale, d_logits: dLogits },
    workgroups: grid,
    cost: crossEntropyBackwardCost(rows, columns),
  });
}

function requireMatrix(
  kernel: string,
  { logits, targets }: CrossEntropyArrays,
): { readonly rows: number; readonly columns: number } {
  const [rows, columns] = logits.shape;
  if (logits.shape.length !== 2) throw new ShapeError(`${kernel}: logits must be [B, K], got ${logits}`);
  requireContiguous(kernel, 'logits', logits, rows! * columns!);
  requireContiguous(kernel, 'targets', targets, rows! * columns!);
  return { rows: rows!, columns: columns! };
}
