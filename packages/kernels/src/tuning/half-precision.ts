import { kernelCatalogue } from '../catalogue.js';
import type { Runtime } from '../runtime/runtime.js';
import { runnableVariants, selectVariant } from '../runtime/variants.js';

/** A variant that rounds its inputs to f16 and that a device can run. */
export interface HalfVariant {
  readonly kernel: string;
  readonly variant: string;
  /** Whether it is what runs, as precision and forced variants are now; else another is the better choice. */
  readonly isChosen: boolean;
}

/** The variants of all kernels that round to f16 and that this device can run. */
export function halfVariants(runtime: Runtime): HalfVariant[] {
  return kernelCatalogue.flatMap(({ name: kernel, variants }) =>
    runnableVariants(runtime, variants)
      .filter(({ precision }) => precision === 'f16')
      .map(({ name: variant }) => ({
        kernel,
        variant,
        isChosen: selectVariant(runtime, kernel, variants).name === variant,
      })),
  );
}

/** Features of WebGPU that variants which round to f16 need and that this device lacks. */
export function missingForHalf(runtime: Runtime): string[] {
  const needed = kernelCatalogue.flatMap(({ variants }) =>
    variants.filter(({ precision }) => precision === 'f16').flatMap(({ needs }) => needs),
  );
  return [...new Set(needed)].filter((feature) => !runtime.hasFeature(feature));
}
