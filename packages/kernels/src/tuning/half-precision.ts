import { TubeletError } from '../runtime/errors.js';
import type { Runtime } from '../runtime/runtime.js';
import { runnableVariants, selectVariant } from '../runtime/variants.js';
import { BEYOND_HALF, roundBeyondHalf } from './half-overflow.js';
import { kernelChoices } from './kernel-choices.js';

/** A variant that rounds its inputs to f16 and that a device can run. */
export interface HalfVariant {
  readonly kernel: string;
  readonly variant: string;
  /** Whether it is what runs, as precision and forced variants are now; else another is the better choice. */
  readonly isChosen: boolean;
}

/** The variants of all kernels that round to f16 and that this device can run. */
export function halfVariants(runtime: Runtime): HalfVariant[] {
  return kernelChoices.flatMap(({ kernel, variants }) =>
    runnableVariants(runtime, variants)
      .filter(({ precision }) => precision === 'f16')
      .map(({ name: variant }) => ({
        kernel,
        variant,
        isChosen: selectVariant(runtime, kernel, variants).name === variant,
      })),
  );
}

/** f16 was asked for on a device that has none, or where it hides overflow; the message says which. */
export class HalfPrecisionError extends TubeletError {}

/**
 * Lets models store what feeds products in f16 from now on, and kernels round to it where the device has matrix units,
 * asked for by `openNodeRuntime({ matrixUnits: true })`; this is to be said before the first of them runs. Runs a
 * kernel of its own to see what overflow gives.
 *
 * @returns the variants that then round by themselves, each as `kernel variant`; none without matrix units
 * @throws HalfPrecisionError where there is no f16, or values beyond it do not become infinite; precision stays f32
 */
export async function useHalfPrecision(runtime: Runtime): Promise<string[]> {
  const name = runtime.adapter.description || runtime.adapter.device;
  if (!runtime.hasFeature('shader-f16')) {
    throw new HalfPrecisionError(`f16 cannot be stored on ${name}: it lacks shader-f16; compute in f32`);
  }
  const [above, below] = await roundBeyondHalf(runtime);
  if (above !== Infinity || below !== -Infinity) {
    throw new HalfPrecisionError(
      `f16 hides overflow on ${name}: ±${BEYOND_HALF} becomes ${above} and ${below} there instead of ±Infinity, so that ` +
        'a loss scale never sees gradients overflow and never falls: compute in f32',
    );
  }
  runtime.precision = 'f16';
  const runnable = halfVariants(runtime);
  if (!runnable.some(({ isChosen }) => isChosen)) {
    // A software driver's matrix units are there for tests, and are nowhere the better choice.
    for (const { kernel, variant } of runnable) {
      if (!runtime.forcedVariants.has(kernel)) runtime.forcedVariants.set(kernel, variant);
    }
  }
  return variantsInHalf(runtime);
}

/** The variants in use that round to f16, each as `kernel variant`; none where precision is f32. */
export function variantsInHalf(runtime: Runtime): string[] {
  return halfVariants(runtime)
    .filter(({ isChosen }) => isChosen)
    .map(({ kernel, variant }) => `${kernel} ${variant}`);
}
