import { describe, expect, it } from 'vitest';
import { roundedToF16, scaledError } from './host-data.js';
import { proceduralBytes } from './procedural.js';
import { testRandom } from './random.js';
import { erfc } from './special-functions.js';

describe('scaledError', () => {
  it('is relative to the largest expected value, absolute below one', () => {
    expect(scaledError([10, -1], [10, -2])).toBeCloseTo(0.1, 12);
    expect(scaledError([0.1], [0.2])).toBeCloseTo(0.1, 12);
    expect(scaledError([], [])).toBe(0);
  });

  it('is infinite for anything that is not a number, wherever it stands', () => {
    expect(scaledError([Number.NaN, 1], [1, 1])).toBe(Infinity);
    expect(scaledError([1, Number.NaN], [5, 1])).toBe(Infinity);
    expect(scaledError([Infinity], [1])).toBe(Infinity);
    expect(scaledError([1], [1, 2]), 'too short').toBe(Infinity);
  });
});

describe('testRandom', () => {
  it('repeats itself for a seed and differs between seeds', () => {
    const draw = (seed: number) => {
      const random = testRandom(seed);
      return Array.from({ length: 5 }, () => random.normal());
    };
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
  });

  it('is about uniform and about normal', () => {
    const random = testRandom(1);
    const count = 20_000;
    const normals = Array.from({ length: count }, () => random.normal());
    const mean = normals.reduce((sum, value) => sum + value, 0) / count;
    const variance = normals.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    const bins = new Uint32Array(7);
    for (let i = 0; i < 7000; i++) bins[random.integer(7)]!++;
    expect(Math.min(...bins)).toBeGreaterThan(850);
  });
});

describe('erfc', () => {
  it('has the tabulated values on both sides of where its methods meet', () => {
    expect(erfc(0)).toBe(1);
    expect(erfc(0.5)).toBeCloseTo(0.4795001221869535, 14);
    expect(erfc(2) / 0.004677734981047266).toBeCloseTo(1, 12);
    expect(erfc(3) / 2.209049699858544e-5).toBeCloseTo(1, 12);
    expect(erfc(-1)).toBeCloseTo(1.8427007929497148, 14);
    expect(erfc(2.5 - 1e-12) / erfc(2.5 + 1e-12)).toBeCloseTo(1, 9);
  });
});

it('proceduralBytes depend on the name alone and are spread out', () => {
  expect(proceduralBytes('a', 8)).toEqual(proceduralBytes('a', 16).slice(0, 8));
  expect(proceduralBytes('a', 8)).not.toEqual(proceduralBytes('b', 8));
  expect(new Set(proceduralBytes('frames', 4096)).size).toBe(256);
});

it('roundedToF16 gives the nearest half, ties to even, with small steps near zero and infinity at the end', () => {
  const rounded = (...values: number[]) => [...roundedToF16(Float64Array.from(values))];
  expect(rounded(0, -1, 0.1, 1 / 3)).toEqual([0, -1, 0.0999755859375, 0.333251953125]);
  expect(rounded(1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20)).toEqual([
    1,
    1 + 2 ** -9,
    1 + 2 ** -10,
  ]);
  expect(rounded(2 - 2 ** -12, -2049)).toEqual([2, -2048]);
  expect(rounded(2 ** -24, 2 ** -25, 3 * 2 ** -25, 2 ** -14 + 2 ** -26)).toEqual([
    2 ** -24,
    0,
    2 ** -23,
    2 ** -14,
  ]);
  expect(rounded(65504, 65519, 65520, -1e9, NaN)).toEqual([65504, 65504, Infinity, -Infinity, NaN]);
});
