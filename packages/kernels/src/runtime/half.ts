/** One number of f16 (IEEE 754-2008, binary16) from its bits. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The numbers that bits of f16 mean; f32 holds each of them. */
export function halfValues(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, halfValue);
}

/** The bits of the nearest f16, ties to even; infinite from 65520 on, in steps of 2⁻²⁴ below 2⁻¹⁴. */
function halfOf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(magnitude)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14);
  const steps = magnitude * 2 ** (10 - exponent);
  const below = Math.floor(steps);
  const rest = steps - below;
  const rounded = rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
  // A carry into the exponent is what the next binade begins with; below 1024 steps there is no leading one.
  return sign | (((exponent + 14) << 10) + rounded);
}

/** The bits of the nearest f16 of each value. */
export function halfBits(values: ArrayLike<number>): Uint16Array {
  return Uint16Array.from(values, halfOf);
}
