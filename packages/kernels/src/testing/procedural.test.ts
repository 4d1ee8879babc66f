import { describe, expect, it } from 'vitest';
import { proceduralBytes, proceduralHighWords, proceduralParameter, proceduralSigned } from './procedural.js';

describe('procedural tensors', () => {
  it('match the published check values of stream "a"', () => {
    expect(proceduralHighWords('a', 1)[0]).toBe(0x5f29c2aa);
    expect(proceduralSigned('a', 1)[0]).toBe(-0.25653815269470215);
    expect([...proceduralBytes('a', 4)]).toEqual([95, 255, 253, 175]);
  });

  it('match 64-bit integer arithmetic', () => {
    const mask = (1n << 64n) - 1n;
    let h = 0xcbf29ce484222325n;
    for (const byte of new TextEncoder().encode('blocks.0.mlp'))
      h = ((h ^ BigInt(byte)) * 0x100000001b3n) & mask;
    const expected = Array.from({ length: 500 }, (_, i) => {
      let z = (h + BigInt(i + 1) * 0x9e3779b97f4a7c15n) & mask;
      z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
      z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
      return Number((z ^ (z >> 31n)) >> 32n);
    });
    expect([...proceduralHighWords('blocks.0.mlp', 500)]).toEqual(expected);
  });

  it('scale parameters by their role', () => {
    const range = (values: Float32Array) => Math.max(...values.map(Math.abs));
    expect(range(proceduralParameter('blocks.0.norm2.bias', [64]))).toBeLessThanOrEqual(0.05);
    expect(Math.min(...proceduralParameter('fc_norm.weight', [64]))).toBeGreaterThanOrEqual(0.9);
    expect(range(proceduralParameter('head.weight', [7, 64]))).toBeLessThanOrEqual(Math.sqrt(3 / 64));
  });
});
