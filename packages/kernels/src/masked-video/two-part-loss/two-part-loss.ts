import { elementwise, elementwiseVariants } from '../../elementwise/elementwise.js';
import { mseBackwardCost, mseCost } from '../../mse/mse.js';
import { squaredErrors } from '../../mse/squared-errors.js';
import { workgroupConstants, workgroupSumVariants } from '../../reduce/workgroup-sum.js';
import workgroupSumWgsl from '../../reduce/workgroup-sum.wgsl';
import { ShapeError } from '../../runtime/errors.js';
import type { GpuArray } from '../../runtime/gpu-array.js';
import type { Cost } from '../../runtime/ledger.js';
import { requireContiguous, requireRows, requireSeparate, requireWritableRows } from '../../runtime/rows.js';
import type { Runtime } from '../../runtime/runtime.js';
import { shapeClass } from '../../runtime/shape-class.js';
import { selectVariant } from '../../runtime/variants.js';
import { f32 } from '../../runtime/wgsl.js';
import totalWgsl from './two-part-loss.wgsl';

const KERNEL = 'two-part-loss';
const BACKWARD_KERNEL = 'two-part-loss-backward';

export const twoPartLossVariants = workgroupSumVariants;
export const twoPartLossBackwardVariants = elementwiseVariants;

/** That of a plain mean squared error, with three results. Its backward costs what that one's does. */
export function twoPartLossCost(count: number): Cost {
  return { ...mseCost(count), bytesWritten: 12 };
}

export interface TwoPartLossArrays {
  /** Rows of 2·half columns: appearance, then motion. */
  readonly prediction: GpuArray;
  /** As many rows of as many columns. */
  readonly target: GpuArray;
  /** λ of the total λ · appearance + (1 − λ) · motion; a number from 0 to 1. */
  readonly appearanceWeight: number;
}

/**
 * loss [3] = (λ · appearance + (1 − λ) · motion, appearance, motion), where appearance and motion are the mean
 * squared errors of the first and of the second half of the columns. With λ = ½ the total is the plain mean
 * squared error. Sums run in a fixed order. Source: Sun et al., “MAE-DFER”, ACM MM 2023.
 *
 * @throws ShapeError for an odd number of columns or shapes that do not fit, RangeError for λ outside [0, 1]
 */
export function twoPartLoss(runtime: Runtime, arrays: TwoPartLossArrays & { readonly loss: GpuArray }): void {
  const { prediction, target, loss, appearanceWeight } = arrays;
  requireHalves(KERNEL, arrays);
  requireContiguous(KERNEL, 'loss', loss, 3);
  requireSeparate(KERNEL, { loss }, { prediction, target });
  const partials = squaredErrors(
    runtime,
    KERNEL,
    { prediction, target },
    { columnGroups: 2, cost: twoPartLossCost(prediction.size) },
  );
  const parts = partials.shape[1]!;
  const variant = selectVariant(runtime, KERNEL, twoPartLossVariants, shapeClass(0, 1, parts));
  runtime.run({
    kernel: KERNEL,
    variant: variant.name,
    wgsl: [workgroupSumWgsl, totalWgsl],
    constants: workgroupConstants(runtime, variant.invocations),
    data: {
      PARTS: parts,
      INVERSE_COUNT: f32(2 / prediction.size),
      APPEARANCE_WEIGHT: f32(appearanceWeight),
      LOSS_OFFSET: loss.offset,
    },
    arrays: { partials, loss },
    workgroups: [1],
    cost: { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 },
  });
  runtime.release(partials);
}

export interface TwoPartLossBackwardArrays extends TwoPartLossArrays {
  /** As many rows of as many columns as the prediction; written. */
  readonly dPrediction: GpuArray;
  /** [1], a factor known only on the GPU: the cotangent of the total, or a loss scale. Default 1. */
  readonly gradientScale?: GpuArray;
}

/**
 * Gradient of the total of `twoPartLoss`: dPrediction = 2 · w · (prediction − target) / (rows · half) ·
 * gradientScale[0], w = λ in the first half of the columns and 1 − λ in the second.
 *
 * @throws as `twoPartLoss` does
 */
export function twoPartLossBackward(runtime: Runtime, arrays: TwoPartLossBackwardArrays): void {
  const { prediction, target, dPrediction, gradientScale, appearanceWeight } = arrays;
  const { rows, half } = requireHalves(BACKWARD_KERNEL, arrays);
  requireWritableRows(BACKWARD_KERNEL, 'dPrediction', dPrediction, { rows, columns: 2 * half });
  requireSeparate(BACKWARD_KERNEL, { dPrediction }, { prediction, target });
  const weight = 'select(MOTION_FACTOR, APPEARANCE_FACTOR, column < HALF)';
  elementwise(runtime, {
    kernel: BACKWARD_KERNEL,
    inputs: {
      prediction: { array: prediction },
      goal: { array: target },
      gradientScale: gradientScale && { array: gradientScale, as: 'factor' },
    },
    out: dPrediction,
    outName: 'dPrediction',
    value: `(prediction - goal) * ${gradientScale ? `(${weight} * gradientScale)` : weight}`,
    data: {
      APPEARANCE_FACTOR: f32((2 * appearanceWeight) / (rows * half)),
      MOTION_FACTOR: f32((2 * (1 - appearanceWeight)) / (rows * half)),
    },
    columnData: { HALF: half },
    cost: mseBackwardCost(prediction.size),
  });
}

function requireHalves(
  kernel: string,
  { prediction, target, appearanceWeight }: TwoPartLossArrays,
): { readonly rows: number; readonly half: number } {
  const { rows, columns } = requireRows(kernel, 'prediction', prediction);
  requireRows(kernel, 'target', target, { rows, columns });
  if (columns % 2 !== 0) {
    throw new ShapeError(
      `${kernel}: prediction needs an even number of columns, two halves, got ${prediction}`,
    );
  }
  if (!(appearanceWeight >= 0 && appearanceWeight <= 1)) {
    throw new RangeError(`${kernel}: appearanceWeight must lie between 0 and 1, got ${appearanceWeight}`);
  }
  return { rows, half: columns / 2 };
}
