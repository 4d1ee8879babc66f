import { describe, expect, it } from 'vitest';
import { readableJson } from './evaluation-json.js';

describe('readableJson', () => {
  it('is JSON with lists of numbers on a line', () => {
    const numbers = Array.from({ length: 20 }, (_, i) => i / 32);
    const value = {
      name: 'x "y"',
      none: undefined,
      rows: Array.from({ length: 3 }, () => numbers),
      empty: [],
    };
    const text = readableJson(value);
    expect(JSON.parse(text)).toEqual({ name: 'x "y"', rows: value.rows, empty: [] });
    expect(text.split('\n')).toHaveLength(1 + 1 + 5 + 1 + 1);
    for (const line of text.split('\n')) expect(line.length).toBeLessThan(160);
  });

  it('writes null for what is not finite', () => {
    const long = 'x'.repeat(120);
    expect(JSON.parse(readableJson({ long, a: NaN, b: [Infinity, 1] }))).toEqual({
      long,
      a: null,
      b: [null, 1],
    });
  });
});
