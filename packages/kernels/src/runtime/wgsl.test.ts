import { describe, expect, it } from 'vitest';
import { constantHeader, f32 } from './wgsl.js';

const literal = (value: number) => /= (.*);/.exec(constantHeader({ X: f32(value) }))![1];

describe('constantHeader', () => {
  it('declares whole numbers as u32, flags as bool and f32 as f32', () => {
    expect(constantHeader({ ROWS: 101, LAST: 0xffffffff, ACCUMULATE: true, EPSILON: f32(1e-6) })).toBe(
      'const ROWS: u32 = 101u;\nconst LAST: u32 = 4294967295u;\nconst ACCUMULATE: bool = true;\n' +
        'const EPSILON: f32 = 9.999999974752427e-7f;\n',
    );
  });

  it.each([-1, 1.5, 2 ** 32, Number.NaN])('refuses %d as u32 and names the constant', (value) =>
    expect(() => constantHeader({ ROWS: value })).toThrow(`ROWS = ${value} is not a u32`),
  );

  it('writes literals that WGSL reads as f32', () => {
    expect(literal(2)).toBe('2.0f');
    expect(literal(-0.5)).toBe('-0.5f');
    expect(literal(0)).toBe('0.0f');
    expect(literal(-0)).toBe('-0.0f');
    expect(literal(1e21)).toBe('1.0000000200408773e+21f');
    expect(literal(3.4028234663852886e38)).toBe('3.4028234663852886e+38f');
    expect(literal(2 ** -126)).toBe('1.1754943508222875e-38f');
  });

  it('refuses numbers that f32 does not hold', () => {
    expect(() => literal(1e39)).toThrow('finite f32, got 1e+39');
    expect(() => literal(Number.NaN)).toThrow('finite');
    expect(() => literal(1e-40)).toThrow('subnormal');
    expect(() => literal(1e-60)).toThrow('zero in f32');
  });
});
