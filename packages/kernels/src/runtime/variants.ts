import { TubeletError } from './errors.js';
import type { Runtime } from './runtime.js';

/** One implementation of a kernel. Variants differ in speed, never in the result beyond rounding. */
export interface Variant {
  readonly name: string;
  /** WebGPU features that the device must have. */
  readonly needs: readonly string[];
  /** Adapters that this variant is meant for when nothing was measured; the first that fits is taken. */
  readonly prefers: 'software' | 'gpu' | 'any';
}

/** A variant was asked for by name that does not exist or that the device cannot run. */
export class VariantError extends TubeletError {}

/** The variants that this device can run, in order of declaration. */
export function runnableVariants<V extends Variant>(runtime: Runtime, variants: readonly V[]): V[] {
  return variants.filter((variant) => variant.needs.every((feature) => runtime.hasFeature(feature)));
}

/** The forced variant if one is set for `kernel`, else the first runnable one made for this class of adapter. */
export function selectVariant<V extends Variant>(
  runtime: Runtime,
  kernel: string,
  variants: readonly V[],
): V {
  const runnable = runnableVariants(runtime, variants);
  const forced = runtime.forcedVariants.get(kernel);
  if (forced !== undefined) {
    const found = runnable.find((variant) => variant.name === forced);
    if (!found) {
      const names = runnable.map((variant) => variant.name).join(', ');
      throw new VariantError(
        `kernel ${kernel} has no variant "${forced}" on this device; it can run: ${names}`,
      );
    }
    return found;
  }
  const wanted = runtime.adapter.isSoftware ? 'software' : 'gpu';
  const chosen =
    runnable.find((variant) => variant.prefers === wanted) ??
    runnable.find((variant) => variant.prefers === 'any') ??
    runnable[0];
  if (!chosen) throw new VariantError(`kernel ${kernel} has no variant that this device can run`);
  return chosen;
}
