import { TubeletError } from './errors.js';
import type { Precision, Runtime } from './runtime.js';
import type { ShapeClass } from './shape-class.js';

export type { Precision, VariantTuning } from './runtime.js';

/** Software adapters, real GPUs, or `any` for what is second choice everywhere. */
export type Preference = 'software' | 'gpu' | 'any';

/** One implementation of a kernel. Variants differ in speed, never in the result beyond rounding. */
export interface Variant {
  readonly name: string;
  /** WebGPU features that the device must have. */
  readonly needs: readonly string[];
  /**
   * Adapters that this variant is meant for when nothing was measured: the shipped choice. The first variant that
   * names the adapter's kind is taken, else the first for `any`.
   */
  readonly prefers: Preference | readonly Preference[];
  /**
   * Set where inputs are rounded to f16 on the way: chosen only where `Runtime.precision` allows it. Measured choices
   * never exchange variants of different precision.
   */
  readonly precision?: 'f16';
  /** What the device must be or have besides `needs`. */
  canRun?(runtime: Runtime): boolean;
}

/** A variant was asked for by name that does not exist or that the device cannot run. */
export class VariantError extends TubeletError {}

/** The variants that this device can run, in order of declaration. */
export function runnableVariants<V extends Variant>(runtime: Runtime, variants: readonly V[]): V[] {
  return variants.filter(
    (variant) =>
      variant.needs.every((feature) => runtime.hasFeature(feature)) && (variant.canRun?.(runtime) ?? true),
  );
}

/**
 * The forced variant if one is set for `kernel`; else the fastest one that was measured for the class of shapes, where
 * a table of measurements is in use; else the shipped choice for this class of adapter. Called for every dispatch:
 * makes nothing that must be collected.
 *
 * @throws VariantError when the forced variant cannot run, or none can
 */
export function selectVariant<V extends Variant>(
  runtime: Runtime,
  kernel: string,
  variants: readonly V[],
  shape?: ShapeClass,
): V {
  const { forcedVariants, tuning } = runtime;
  const { runnable, shipped } = optionsOn(runtime, variants);
  const forced = forcedVariants.size > 0 ? forcedVariants.get(kernel) : undefined;
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
  if (!shipped) throw new VariantError(`kernel ${kernel} has no variant that this device can run`);
  const measured = shape === undefined ? undefined : tuning?.choose(kernel, shape);
  if (measured !== undefined && measured !== shipped.name) {
    for (const variant of runnable) {
      if (variant.name === measured && variant.precision === shipped.precision) return variant;
    }
  }
  return shipped;
}

/** The variants that may stand in for the shipped choice: runnable, and of its precision. The choice comes first. */
export function exchangeableVariants<V extends Variant>(runtime: Runtime, variants: readonly V[]): V[] {
  const { runnable, shipped } = optionsOn(runtime, variants);
  if (!shipped) return [];
  const others = runnable.filter((variant) => variant !== shipped && variant.precision === shipped.precision);
  return [shipped, ...others];
}

interface Options<V> {
  readonly runnable: readonly V[];
  readonly shipped: V | undefined;
}

// What a device can run does not change, and lists of variants are constants of their kernels.
type KnownOptions = WeakMap<readonly Variant[], Options<Variant>>;
const known = new WeakMap<Runtime, Readonly<Record<Precision, KnownOptions>>>();

function optionsOn<V extends Variant>(runtime: Runtime, variants: readonly V[]): Options<V> {
  let ofRuntime = known.get(runtime);
  if (!ofRuntime) known.set(runtime, (ofRuntime = { f32: new WeakMap(), f16: new WeakMap() }));
  let options = ofRuntime[runtime.precision].get(variants);
  if (!options) {
    const runnable = runnableVariants(runtime, variants);
    options = { runnable, shipped: shippedChoice(runtime, runnable) };
    ofRuntime[runtime.precision].set(variants, options);
  }
  return options as Options<V>;
}

// Where rounding to f16 is allowed, what makes use of it and is meant for the adapter goes first.
function shippedChoice<V extends Variant>(runtime: Runtime, runnable: readonly V[]): V | undefined {
  const adapter = runtime.adapter.isSoftware ? 'software' : 'gpu';
  const halves = runtime.precision === 'f16' ? runnable.filter(({ precision }) => precision === 'f16') : [];
  const exact = runnable.filter(({ precision }) => precision === undefined);
  return meantFor(adapter, halves) ?? meantFor(adapter, exact) ?? exact[0];
}

function meantFor<V extends Variant>(adapter: 'software' | 'gpu', variants: readonly V[]): V | undefined {
  const first = (preference: Preference) =>
    variants.find(({ prefers }) =>
      typeof prefers === 'string' ? prefers === preference : prefers.includes(preference),
    );
  return first(adapter) ?? first('any');
}
