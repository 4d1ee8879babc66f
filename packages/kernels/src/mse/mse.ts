import { withWorkgroupSum, workgroupSumVariants } from '../reduce/workgroup-sum.js';
import { ShapeError } from '../runtime/errors.js';
import type { GpuArray, RowLayout } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import {
  elementAlias,
  elementWidth,
  requireContiguous,
  requireRows,
  requireSeparate,
  requireWritableRows,
  rowData,
  rowKey,
} from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import { shapeClass } from '../runtime/shape-class.js';
import { selectVariant, type Variant } from '../runtime/variants.js';
import { constantHeader, f32 } from '../runtime/wgsl.js';
import backwardWgsl from './mse-backward.wgsl';
import lossWgsl from './mse-loss.wgsl';
import partialsWgsl from './mse.wgsl';

const LOSS_KERNEL = 'mse-loss';
const BACKWARD_KERNEL = 'mse-loss-backward';
const BLOCK = 4096;

export const mseLossVariants = workgroupSumVariants;
export const mseLossBackwardVariants: readonly Variant[] = [
  { name: 'elementwise', needs: [], prefers: 'any' },
];

/** Three operations an element (difference, square, sum), and the partial sums of blocks of 4,096. */
export function mseLossCost(count: number): Cost {
  const groups = Math.ceil(count / BLOCK);
  return {
    macs: 0,
    flops: 3 * count + 2 * groups,
    bytesRead: 8 * count + 8 * groups,
    bytesWritten: 8 * groups + 12,
  };
}

export function mseLossBackwardCost(count: number): Cost {
  return { macs: 0, flops: 2 * count, bytesRead: 8 * count, bytesWritten: 4 * count };
}

export interface MseArrays {
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
 * squared error. Sums run in a fixed order. Throws `ShapeError` for an odd number of columns or shapes that do not
 * fit, `RangeError` for λ outside [0, 1].
 */
export function mseLoss(runtime: Runtime, arrays: MseArrays & { readonly loss: GpuArray }): void {
  const { prediction, target, loss, appearanceWeight } = arrays;
  const { predictionRows, targetRows, half } = requireHalves(LOSS_KERNEL, arrays);
  requireContiguous(LOSS_KERNEL, 'loss', loss, 3);
  requireSeparate(LOSS_KERNEL, { loss }, { prediction, target });

  const width = half % 4 === 0 ? elementWidth([predictionRows, targetRows]) : 1;
  const count = prediction.size;
  const groups = Math.ceil(count / BLOCK);
  const variant = selectVariant(runtime, LOSS_KERNEL, mseLossVariants, shapeClass(0, groups, BLOCK));
  const partials = runtime.empty([groups, 2], 'f32', 'mse-loss partials');
  const grid = runtime.linearGrid(groups);
  const key = `${LOSS_KERNEL} ${variant.name} ${rowKey(predictionRows)} ${rowKey(targetRows)}`;
  const first = runtime.program(key, () => ({
    kernel: LOSS_KERNEL,
    detail: `${variant.name} ${predictionRows.rows} × ${2 * half}`,
    wgsl:
      withWorkgroupSum(
        variant,
        elementAlias(width) +
          constantHeader({
            LANES: variant.lanes,
            COUNT: count / width,
            HALF: half / width,
            BLOCK: BLOCK / width,
            GRID_X: grid[0],
            GROUPS: groups,
            ...rowData('PREDICTION', predictionRows, width),
            ...rowData('TARGET', targetRows, width),
          }),
      ) + partialsWgsl,
    access: ['read', 'read', 'read_write'],
  }));
  runtime.dispatch(first, [prediction, target, partials], grid, {
    macs: 0,
    flops: 3 * count,
    bytesRead: 8 * count,
    bytesWritten: 8 * groups,
  });

  const lossKey = `${LOSS_KERNEL} total ${variant.name} ${groups} ${count} ${appearanceWeight} ${loss.offset}`;
  const second = runtime.program(lossKey, () => ({
    kernel: LOSS_KERNEL,
    detail: `${variant.name} total of ${groups} blocks`,
    wgsl:
      withWorkgroupSum(
        variant,
        constantHeader({
          LANES: variant.lanes,
          GROUPS: groups,
          INVERSE_COUNT: f32(2 / count),
          APPEARANCE_WEIGHT: f32(appearanceWeight),
          LOSS_OFFSET: loss.offset,
        }),
      ) + lossWgsl,
    access: ['read', 'read_write'],
  }));
  const cost = { macs: 0, flops: 2 * groups, bytesRead: 8 * groups, bytesWritten: 12 };
  runtime.dispatch(second, [partials, loss], [1], cost);
  runtime.release(partials);
}

export interface MseBackwardArrays extends MseArrays {
  /** As many rows of as many columns as the prediction; written. */
  readonly dPrediction: GpuArray;
  /** [1], a factor known only on the GPU: the cotangent of the total, or a loss scale. Default 1. */
  readonly gradientScale?: GpuArray;
}

/**
 * Gradient of the total of `mseLoss`: dPrediction = 2 · w · (prediction − target) / (rows · half) · gradientScale[0],
 * w = λ in the first half of the columns and 1 − λ in the second. Throws as `mseLoss` does.
 */
export function mseLossBackward(runtime: Runtime, arrays: MseBackwardArrays): void {
  const { prediction, target, dPrediction, gradientScale, appearanceWeight } = arrays;
  const { predictionRows, targetRows, half } = requireHalves(BACKWARD_KERNEL, arrays);
  const { rows, columns } = predictionRows;
  const gradientRows = requireWritableRows(BACKWARD_KERNEL, 'dPrediction', dPrediction, { rows, columns });
  if (gradientScale) requireContiguous(BACKWARD_KERNEL, 'gradientScale', gradientScale, 1);
  requireSeparate(BACKWARD_KERNEL, { dPrediction }, { prediction, target, gradientScale });

  const width = half % 4 === 0 ? elementWidth([predictionRows, targetRows, gradientRows]) : 1;
  const count = prediction.size / width;
  const grid = runtime.linearGrid(Math.ceil(count / 256));
  const layouts = `${rowKey(predictionRows)} ${rowKey(targetRows)} ${rowKey(gradientRows)}`;
  const key = `${BACKWARD_KERNEL} ${layouts} ${appearanceWeight} ${gradientScale?.offset}`;
  const program = runtime.program(key, () => ({
    kernel: BACKWARD_KERNEL,
    detail: `${rows} × ${columns}`,
    wgsl:
      elementAlias(width) +
      constantHeader({
        COUNT: count,
        HALF: half / width,
        GRID_X: grid[0],
        HAS_SCALE: gradientScale !== undefined,
        APPEARANCE_FACTOR: f32((2 * appearanceWeight) / (rows * half)),
        MOTION_FACTOR: f32((2 * (1 - appearanceWeight)) / (rows * half)),
        ...rowData('PREDICTION', predictionRows, width),
        ...rowData('TARGET', targetRows, width),
        ...rowData('D_PREDICTION', gradientRows, width),
        SCALE_OFFSET: gradientScale?.offset ?? 0,
      }) +
      backwardWgsl,
    access: ['read', 'read', 'read', 'read_write'],
  }));
  const bound = [prediction, target, gradientScale ?? target, dPrediction];
  runtime.dispatch(program, bound, grid, mseLossBackwardCost(prediction.size));
}

function requireHalves(
  kernel: string,
  { prediction, target, appearanceWeight }: MseArrays,
): { readonly predictionRows: RowLayout; readonly targetRows: RowLayout; readonly half: number } {
  const predictionRows = requireRows(kernel, 'prediction', prediction);
  const { rows, columns } = predictionRows;
  const targetRows = requireRows(kernel, 'target', target, { rows, columns });
  if (columns % 2 !== 0) {
    throw new ShapeError(
      `${kernel}: prediction needs an even number of columns, two halves, got ${prediction}`,
    );
  }
  if (!(appearanceWeight >= 0 && appearanceWeight <= 1)) {
    throw new RangeError(`${kernel}: appearanceWeight must lie between 0 and 1, got ${appearanceWeight}`);
  }
  return { predictionRows, targetRows, half: columns / 2 };
}
