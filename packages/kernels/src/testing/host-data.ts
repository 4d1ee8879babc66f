import type { ArraySpec, Random } from '../kernel-spec.js';
import { product } from '../runtime/gpu-array.js';
import { halfBits, halfValues } from '../runtime/half.js';
import type { HostData } from '../runtime/runtime.js';

type Specs = Readonly<Record<string, ArraySpec>>;

/** Host contents of every array: given by `fill`/`initial`, else standard normal; the nearest f16 where it is of those. */
export function makeHostData(specs: Specs, random: Random): Record<string, HostData> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => {
      const data = (spec.fill ?? spec.initial ?? normals(spec))(random);
      return [name, spec.dtype === 'f16' && data instanceof Float32Array ? halfBits(data) : data];
    }),
  );
}

function normals(spec: ArraySpec): (random: Random) => HostData {
  return (random) => Float32Array.from({ length: product(spec.shape) }, () => random.normal());
}

/** Contents as numbers; those in 16 bits are f16. */
export function toFloat64(data: Readonly<Record<string, HostData>>): Record<string, Float64Array> {
  return Object.fromEntries(
    Object.entries(data).map(([name, values]) => [
      name,
      Float64Array.from(values instanceof Uint16Array ? halfValues(values) : values),
    ]),
  );
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

/** The nearest f16 of each value: see `halfBits`. */
export function roundedToF16(values: Float64Array): Float64Array {
  return Float64Array.from(halfValues(halfBits(values)));
}
