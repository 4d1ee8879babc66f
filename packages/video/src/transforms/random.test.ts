import { PhiloxStream, streamPurpose } from '@tubelet/kernels';
import { describe, expect, it } from 'vitest';
import { logUniform, symmetricBeta } from './random.js';

const stream = () => new PhiloxStream({ seed: 11, purpose: streamPurpose(11) });

describe('symmetricBeta', () => {
  it.each([0.2, 0.8, 1, 3])('has the mean and variance of Beta(α, α): α = %s', (alpha) => {
    const random = stream();
    const draws = Array.from({ length: 8000 }, () => symmetricBeta(alpha, random));
    expect(draws.every((value) => value >= 0 && value <= 1)).toBe(true);
    const mean = draws.reduce((sum, value) => sum + value) / draws.length;
    const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length;
    const expected = 1 / (4 * (2 * alpha + 1));
    // Within 4 standard errors of the mean, and 6 % of the variance.
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(expected / draws.length));
    expect(Math.abs(variance / expected - 1)).toBeLessThan(0.06);
  });

  it('is uniform for α = 1', () => {
    const random = stream();
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) counts[Math.min(Math.floor(10 * symmetricBeta(1, random)), 9)]!++;
    // χ² with 9 degrees of freedom: above 27.9 once in a thousand seeds.
    expect(counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(27.9);
  });

  it('refuses an α that is not positive', () => {
    expect(() => symmetricBeta(0, stream())).toThrow(/alpha is 0/);
    expect(() => symmetricBeta(NaN, stream())).toThrow(RangeError);
  });
});

describe('logUniform', () => {
  it('lies as often below the geometric mean as above', () => {
    const random = stream();
    const draws = Array.from({ length: 4000 }, () => logUniform(0.5, 8, random));
    expect(draws.every((value) => value >= 0.5 && value < 8)).toBe(true);
    expect(Math.abs(draws.filter((value) => value < 2).length / 4000 - 0.5)).toBeLessThan(0.04);
  });
});
