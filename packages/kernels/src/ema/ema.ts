import { elementwise, elementwiseVariants } from '../elementwise/elementwise.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import { requireContiguous } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import { f32 } from '../runtime/wgsl.js';

export const emaVariants = elementwiseVariants;

export interface EmaUpdateOptions {
  /** f32, contiguous, any shape; updated in place. */
  readonly average: GpuArray;
  /** f32 of the same size, contiguous, in another buffer. */
  readonly values: GpuArray;
  /** Share of the average that stays, at least 0 and less than 1. */
  readonly decay: number;
  /** f32 [4], the step data of `adamwStep`: where it says that the step was skipped, the average stays as it is. */
  readonly step?: GpuArray;
}

export function emaCost(count: number, { hasStep = false }: { readonly hasStep?: boolean } = {}): Cost {
  return { macs: 0, flops: 0, bytesRead: 8 * count + (hasStep ? 4 : 0), bytesWritten: 4 * count };
}

/**
 * average ← decay · average + (1 − decay) · values, element by element, written as average + (1 − decay) · (values −
 * average): an average that has reached the values stays there. With decay and 1 − decay rounded apart, whose f32 sum
 * is off by up to 6e-8, it would settle at a multiple of the values that is wrong by 6e-8 / (1 − decay). Source: Polyak
 * & Juditsky, “Acceleration of Stochastic Approximation by Averaging”, 1992, with exponential weights.
 *
 * @throws ShapeError when sizes differ or the arrays share a buffer, RangeError for a decay outside [0, 1)
 */
export function emaUpdate(runtime: Runtime, { average, values, decay, step }: EmaUpdateOptions): void {
  if (!(decay >= 0 && decay < 1)) {
    throw new RangeError(`ema: decay is ${decay}, it must be at least 0 and less than 1`);
  }
  requireContiguous('ema', 'average', average, average.size);
  requireContiguous('ema', 'values', values, average.size);
  if (step) requireContiguous('ema', 'step', step, 4);
  const update = 'average + ONE_MINUS_DECAY * (values - average)';
  elementwise(runtime, {
    kernel: 'ema',
    inputs: {
      average: { array: average, inPlace: 'same rows' },
      values: { array: values },
      skip: step && { array: step.slice(0, 3, 4), as: 'factor' },
    },
    out: average,
    outName: 'average',
    value: step ? `select(average, ${update}, skip == 0.0)` : update,
    data: { ONE_MINUS_DECAY: f32(1 - decay) },
    cost: emaCost(average.size, { hasStep: step !== undefined }),
  });
}
