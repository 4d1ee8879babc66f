import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import { elementAlias, requireContiguous, requireSeparate } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import { constantHeader, f32 } from '../runtime/wgsl.js';
import emaWgsl from './ema.wgsl';

export const emaVariants: readonly Variant[] = [{ name: 'elementwise', needs: [], prefers: 'any' }];

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
 * average ← decay · average + (1 − decay) · values, element by element.
 * Source: Polyak & Juditsky, “Acceleration of Stochastic Approximation by Averaging”, 1992, with exponential weights.
 * Throws `ShapeError` when sizes differ or the arrays share a buffer, `RangeError` for a decay outside [0, 1).
 */
export function emaUpdate(runtime: Runtime, { average, values, decay, step }: EmaUpdateOptions): void {
  if (!(decay >= 0 && decay < 1)) {
    throw new RangeError(`ema: decay is ${decay}, it must be at least 0 and less than 1`);
  }
  requireContiguous('ema', 'average', average, average.size);
  requireContiguous('ema', 'values', values, average.size);
  if (step) requireContiguous('ema', 'step', step, 4);
  requireSeparate('ema', { average }, { values, step });
  const width = [average.size, average.offset, values.offset].every((number) => number % 4 === 0) ? 4 : 1;
  const count = average.size / width;
  const grid = runtime.linearGrid(Math.ceil(count / 256));
  const key = `ema ${average.size} ${average.offset} ${values.offset} ${decay} ${step?.offset}`;
  const program = runtime.program(key, () => ({
    kernel: 'ema',
    detail: `${average.size} elements`,
    wgsl:
      elementAlias(width) +
      constantHeader({
        COUNT: count,
        AVERAGE_OFFSET: average.offset / width,
        VALUES_OFFSET: values.offset / width,
        GRID_X: grid[0],
        ONE_MINUS_DECAY: f32(1 - decay),
        HAS_STEP: step !== undefined,
        STEP_OFFSET: step?.offset ?? 0,
      }) +
      emaWgsl,
    access: ['read_write', 'read', 'read'],
  }));
  const cost = emaCost(average.size, { hasStep: step !== undefined });
  runtime.dispatch(program, [average, values, step ?? values], grid, cost);
}
