import { LAYER_NORM_EPSILON } from '@tubelet/mae-dfer';
import type { Jax, JaxArray } from './jax-api.js';

/** A new reference to the array of this name. */
export type At = (name: string) => JaxArray;

export function linear(jax: Jax, x: JaxArray, weight: JaxArray, bias: JaxArray): JaxArray {
  return jax.numpy.matmul(x, weight).add(bias);
}

export function gelu(jax: Jax, x: JaxArray): JaxArray {
  return jax.nn.gelu(x, { approximate: false });
}

export function layerNorm(jax: Jax, x: JaxArray, weight: JaxArray, bias: JaxArray): JaxArray {
  return jax.nn.standardize(x, -1, { epsilon: LAYER_NORM_EPSILON }).mul(weight).add(bias);
}
