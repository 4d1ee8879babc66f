import { erfc } from '../testing/special-functions.js';

const SQRT1_2 = Math.SQRT1_2;

/** Φ(x), the standard normal distribution function. */
export function normalCdf(x: number): number {
  return 0.5 * erfc(-x * SQRT1_2);
}

/** y = x · Φ(x) in float64. */
export function geluReference(x: Float64Array): Float64Array {
  return x.map((value) => value * normalCdf(value));
}

/** dx = dy · (Φ(x) + x · φ(x)) in float64. */
export function geluBackwardReference(x: Float64Array, dy: Float64Array): Float64Array {
  return x.map((value, i) => dy[i]! * geluDerivative(value));
}

/** GELU′(x). */
export function geluDerivative(x: number): number {
  return normalCdf(x) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
}
