import { expect, it } from 'vitest';
import { representativeAttention } from './attention.js';

const [regions, rows, width, heads] = [2, 3, 4, 2];
const numbers = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + 7 * i));
const weights = {
  normWeight: numbers(width, 1),
  normBias: numbers(width, 2),
  queryBias: numbers(width, 3),
  query: numbers(width * width, 4),
  key: numbers(width * width, 5),
};
const tokens = numbers(regions * rows * width, 6);

it('is the softmax of queries times keys, head by head', () => {
  const expected: number[] = [];
  for (let region = 0; region < regions; region++) {
    const x = Array.from({ length: rows }, (_, row) => {
      const values = [...tokens.subarray((region * rows + row) * width, (region * rows + row + 1) * width)];
      const mean = values.reduce((a, b) => a + b) / width;
      const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / width + 1e-6);
      return values.map((v, c) => ((v - mean) / deviation) * weights.normWeight[c]! + weights.normBias[c]!);
    });
    const times = (matrix: Float32Array, vector: number[]) =>
      Array.from({ length: width }, (_, i) =>
        vector.reduce((sum, v, c) => sum + matrix[i * width + c]! * v, 0),
      );
    const q = times(weights.query, x[0]!).map((value, i) => value + weights.queryBias[i]!);
    const keys = x.map((row) => times(weights.key, row));
    const mean = new Array<number>(rows).fill(0);
    for (let head = 0; head < heads; head++) {
      const channels = [2 * head, 2 * head + 1];
      const powers = keys.map((k) =>
        Math.exp(channels.reduce((sum, c) => sum + q[c]! * k[c]!, 0) / Math.SQRT2),
      );
      const total = powers.reduce((a, b) => a + b);
      powers.forEach((power, row) => (mean[row]! += power / total / heads));
    }
    expected.push(...mean);
  }
  const actual = representativeAttention(tokens, weights, { regions, heads });
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 6));
});

it('is even where queries are zero', () => {
  const nothing = { ...weights, query: new Float32Array(16), queryBias: new Float32Array(4) };
  for (const weight of representativeAttention(tokens, nothing, { regions, heads }))
    expect(weight).toBeCloseTo(1 / 3, 6);
});
