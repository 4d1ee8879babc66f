import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import { requireContiguous, requireSeparate } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import { f32 } from '../runtime/wgsl.js';
import cotangentWgsl from './loss-scale-cotangent.wgsl';
import lossScaleWgsl from './loss-scale.wgsl';

export const lossScaleVariants: readonly Variant[] = [{ name: 'one-invocation', needs: [], prefers: 'any' }];
export const lossScaleCotangentVariants = lossScaleVariants;

/** Elements of the state of a loss scale. */
export const LOSS_SCALE_STATE = 6;

export interface LossScaleUpdateOptions {
  /**
   * f32 [6], updated in place: the scale, good steps since it last changed, steps taken, steps skipped; and of the last
   * step the norm of its gradient without the scale, and 1 where it was skipped. Elements but the first four are not
   * read.
   */
  readonly state: GpuArray;
  /** f32 [2] of the scaled gradients, as `gradientNorm` gives it. */
  readonly norms: GpuArray;
  /** f32 [4], written: the `step` of `adamwStep`, with the bias corrections of the steps that were taken. */
  readonly step: GpuArray;
  readonly beta1: number;
  readonly beta2: number;
  /** Good steps in a row after which the scale is doubled. */
  readonly growthInterval: number;
  /** Greatest norm of the gradient without the scale; default: no limit. */
  readonly maxNorm?: number;
  /** Whether the scale stays as it is, whatever overflows; default false. */
  readonly isConstant?: boolean;
}

export function lossScaleCost(): Cost {
  return { macs: 0, flops: 0, bytesRead: 16 + 8, bytesWritten: 24 + 16 };
}

/**
 * Decides over one step of the optimiser under a dynamic loss scale, on the GPU: after `gradientNorm`, before
 * `adamwStep`. Where a gradient is not finite, or the squares of gradients overflow, the step is skipped and the scale
 * halved; it is doubled after so many good steps in a row (neither where it is constant). Gradients are divided by the
 * scale and clipped by the factor in `step`. Bias corrections have a relative error below 1e-6. Source: Micikevicius et
 * al., “Mixed Precision Training”, ICLR 2018; rules of PyTorch's GradScaler.
 *
 * @throws ShapeError for other types, sizes or shared buffers, RangeError for β outside [0, 1), an interval that is
 *   no whole number from 1 to 2²⁴, or a limit that is not above 0
 */
export function updateLossScale(runtime: Runtime, options: LossScaleUpdateOptions): void {
  const { state, norms, step, beta1, beta2, growthInterval, maxNorm, isConstant = false } = options;
  requireContiguous('loss-scale', 'state', state, LOSS_SCALE_STATE);
  requireContiguous('loss-scale', 'norms', norms, 2);
  requireContiguous('loss-scale', 'step', step, 4);
  requireSeparate('loss-scale', { state, step }, { norms });
  if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) {
    throw new RangeError(`loss-scale: beta1 is ${beta1}, beta2 ${beta2}: give betas in [0, 1)`);
  }
  if (!(Number.isInteger(growthInterval) && growthInterval >= 1 && growthInterval <= 2 ** 24)) {
    throw new RangeError(
      `loss-scale: growthInterval is ${growthInterval}: give a whole number from 1 to ${2 ** 24}`,
    );
  }
  if (maxNorm !== undefined && !(maxNorm > 0 && maxNorm < Infinity)) {
    throw new RangeError(`loss-scale: maxNorm is ${maxNorm}: give a finite number above 0, or none`);
  }
  runtime.run({
    kernel: 'loss-scale',
    wgsl: [lossScaleWgsl],
    data: {
      STATE_OFFSET: state.offset,
      NORMS_OFFSET: norms.offset,
      STEP_OFFSET: step.offset,
      ONE_MINUS_BETA1: f32(1 - beta1),
      ONE_MINUS_BETA2: f32(1 - beta2),
      GROWTH_INTERVAL: f32(growthInterval),
      BACKOFF: f32(isConstant ? 1 : 0.5),
      GROWTH: f32(isConstant ? 1 : 2),
      MAX_NORM: f32(maxNorm ?? 0),
    },
    arrays: { state, norms, step },
    workgroups: [1],
    cost: lossScaleCost(),
  });
}

export interface ScaledCotangentOptions {
  /** f32, one element. */
  readonly loss: GpuArray;
  /** The state of `updateLossScale`. */
  readonly state: GpuArray;
  /** f32, one element, written. */
  readonly out: GpuArray;
  /** Finite; e.g. one over the number of accumulated batches. */
  readonly factor: number;
}

export function lossScaleCotangentCost(): Cost {
  return { macs: 0, flops: 0, bytesRead: 8, bytesWritten: 4 };
}

/**
 * The cotangent of a loss with which a backward pass under a loss scale begins: factor · scale. Where the loss is not
 * finite it is the loss itself, so that the gradients are not finite either and the step is skipped.
 *
 * @throws ShapeError for other types, sizes or shared buffers, RangeError for a factor that is not finite in f32
 */
export function scaledCotangent(
  runtime: Runtime,
  { loss, state, out, factor }: ScaledCotangentOptions,
): void {
  const kernel = 'loss-scale-cotangent';
  for (const [name, array] of Object.entries({ loss, out })) {
    if (array.dtype !== 'f32' || array.size !== 1) {
      throw new ShapeError(`${kernel}: ${name} is ${array}: give an f32 array of one element`);
    }
  }
  requireContiguous(kernel, 'state', state, LOSS_SCALE_STATE);
  requireSeparate(kernel, { out }, { loss, state });
  runtime.run({
    kernel,
    wgsl: [cotangentWgsl],
    data: {
      LOSS_OFFSET: loss.offset,
      STATE_OFFSET: state.offset,
      OUT_OFFSET: out.offset,
      FACTOR: f32(factor),
    },
    arrays: { loss, state, out },
    workgroups: [1],
    cost: lossScaleCotangentCost(),
  });
}
