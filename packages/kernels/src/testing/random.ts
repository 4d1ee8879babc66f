import type { Random } from '../kernel-spec.js';

/** A small generator (splitmix32) for test data; not the engine's random numbers, which are Philox. */
export function testRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  const uniform = () => next() / 2 ** 32;
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    integer: (below) => Math.floor(uniform() * below),
  };
}

/** So many normally distributed numbers about a mean, for the contents of an array. */
export function normals(count: number, mean = 0): (random: Random) => Float32Array {
  return (random) => Float32Array.from({ length: count }, () => mean + random.normal());
}
