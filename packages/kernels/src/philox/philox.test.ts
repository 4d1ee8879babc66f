import { describe, expect, it } from 'vitest';
import { philox4x32, philoxKey, PhiloxStream, streamPurpose, type Words2, type Words4 } from './philox.js';

const purpose = streamPurpose(11);
const hex = (words: number[]) => words.map((word) => word.toString(16).padStart(8, '0')).join(' ');

describe('philox4x32', () => {
  // Known answers published with the generator: (counter, key) → output.
  const ones = 0xffffffff;
  const knownAnswers: [Words4, Words2, string][] = [
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[ones, ones, ones, ones], [ones, ones], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [
      // The first digits of π.
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ];
  it.each(knownAnswers)('counter %j, key %j', (counter, key, expected) => {
    expect(hex(philox4x32(counter, key))).toBe(expected);
  });
});

describe('PhiloxStream', () => {
  const seed = 5 * 2 ** 32 + 7;

  it('follows the documented layout of counter and key', () => {
    expect(philoxKey(seed)).toEqual([7, 5]);
    const stream = new PhiloxStream({ seed, purpose, epoch: 3, sample: 11 });
    const draws = Array.from({ length: 8 }, () => stream.nextUint32());
    expect(draws).toEqual([
      ...philox4x32([0, 11, 3, purpose], [7, 5]),
      ...philox4x32([1, 11, 3, purpose], [7, 5]),
    ]);
  });

  it('uniform is the upper 24 bits, exact in f32', () => {
    const stream = new PhiloxStream({ seed, purpose });
    const bits = new PhiloxStream({ seed, purpose });
    let sum = 0;
    for (let i = 0; i < 10_000; i++) {
      const u = stream.uniform();
      expect(u).toBe((bits.nextUint32() >>> 8) / 2 ** 24);
      expect(Math.fround(u)).toBe(u);
      sum += u;
    }
    // The mean of 10,000 uniforms has a standard deviation of 0.0029.
    expect(Math.abs(sum / 10_000 - 0.5)).toBeLessThan(0.012);
  });

  it('integer covers its range evenly', () => {
    const stream = new PhiloxStream({ seed: 1, purpose });
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 7000; i++) {
      const value = stream.integer(7);
      counts[value] = (counts[value] ?? NaN) + 1;
    }
    // Standard deviation 29.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
    expect(stream.integer(1)).toBe(0);
    expect(stream.integer(2 ** 32)).toBeLessThan(2 ** 32);
  });

  it('normal has mean 0 and variance 1, and pairs its draws as documented', () => {
    const stream = new PhiloxStream({ seed: 2, purpose });
    const [x, y] = philox4x32([0, 0, 0, purpose], [2, 0]);
    const radius = Math.sqrt(-2 * Math.log(((x >>> 8) + 1) / 2 ** 24));
    const angle = (2 * Math.PI * (y >>> 8)) / 2 ** 24;
    const values = Array.from({ length: 20_000 }, () => stream.normal());
    expect(values[0]).toBeCloseTo(radius * Math.cos(angle), 12);
    expect(values[1]).toBeCloseTo(radius * Math.sin(angle), 12);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.04);
  });

  it('shuffle permutes, repeats for the same key and differs between keys', () => {
    const make = (epoch: number) =>
      new PhiloxStream({ seed: 3, purpose, epoch }).shuffle(Uint32Array.from({ length: 100 }, (_, i) => i));
    expect([...make(0)].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(make(0)).toEqual(make(0));
    expect(make(0)).not.toEqual(make(1));
  });

  it('knows the first block that is untouched', () => {
    const stream = new PhiloxStream({ seed: 1, purpose });
    const blocks = Array.from({ length: 10 }, () => (stream.nextUint32(), stream.nextBlock));
    expect(blocks).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3]);
    expect(new PhiloxStream({ seed: 1, purpose }).nextBlock).toBe(0);
  });

  it('refuses numbers that do not fit their words', () => {
    expect(() => new PhiloxStream({ seed: -1, purpose })).toThrow(/seed is -1/);
    expect(() => new PhiloxStream({ seed: 2 ** 53, purpose })).toThrow(RangeError);
    expect(() => streamPurpose(-1)).toThrow(/purpose is -1/);
    expect(() => new PhiloxStream({ seed: 0, purpose, sample: 2 ** 32 })).toThrow(/sample is/);
    expect(() => new PhiloxStream({ seed: 0, purpose, epoch: 0.5 })).toThrow(/epoch is 0.5/);
    expect(() => new PhiloxStream({ seed: 0, purpose }).integer(0)).toThrow(/n is 0/);
  });
});
