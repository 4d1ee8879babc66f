import type { ArraySpec, Random } from '../kernel-spec.js';
import { product } from '../runtime/gpu-array.js';
import type { HostData } from '../runtime/runtime.js';

type Specs = Readonly<Record<string, ArraySpec>>;

/** Host contents of every array: given by `fill`/`initial`, else standard normal f32. */
export function makeHostData(specs: Specs, random: Random): Record<string, HostData> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [name, (spec.fill ?? spec.initial ?? normals(spec))(random)]),
  );
}

function normals(spec: ArraySpec): (random: Random) => HostData {
  return (random) => Float32Array.from({ length: product(spec.shape) }, () => random.normal());
}

export function toFloat64(data: Readonly<Record<string, HostData>>): Record<string, Float64Array> {
  return Object.fromEntries(Object.entries(data).map(([name, values]) => [name, Float64Array.from(values)]));
}

/** max |actual − expected| / max(`least`, max |expected|); Infinity when a value is not finite. */
export function scaledError(actual: ArrayLike<number>, expected: ArrayLike<number>, least = 1): number {
  let worst = 0;
  let scale = Math.max(1, least);
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Infinity : difference;
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return worst / scale;
}

/**
 * The nearest f16 of each value, ties to even; infinite from 65520 on. Below 2⁻¹⁴ f16 has steps of 2⁻²⁴.
 */
export function roundedToF16(values: Float64Array): Float64Array {
  return values.map((value) => {
    const magnitude = Math.abs(value);
    if (!Number.isFinite(value) || magnitude === 0) return value;
    const step = 2 ** Math.max(Math.floor(Math.log2(magnitude)) - 10, -24);
    const steps = magnitude / step;
    const below = Math.floor(steps);
    const rest = steps - below;
    const rounded = (rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below) * step;
    return Math.sign(value) * (rounded > 65504 ? Infinity : rounded);
  });
}
