import { describe, expect, it } from 'vitest';
import { testKernel } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { gradientNormKernel } from './gradient-norm.cases.js';
import { gradientNorm } from './gradient-norm.js';
import { gradientNormReference } from './gradient-norm.reference.js';

describe('gradient norm', () => {
  const runtime = useRuntime();

  testKernel(runtime, gradientNormKernel);

  // Equal elements are the worst case: every partial sum then rounds in the same direction.
  it('is accurate to 1e-6 over ten million elements', async () => {
    const value = Math.fround(1 / 3);
    const data = new Float32Array(10_000_000).fill(value);
    await runtime().scope(async () => {
      const bank = runtime().upload(data, [data.length]);
      const out = runtime().empty([2]);
      gradientNorm(runtime(), { banks: [bank], out });
      const [norm, nonFinite] = await runtime().read(out);
      expect(Math.abs(norm! / (value * Math.sqrt(data.length)) - 1)).toBeLessThan(1e-6);
      expect(nonFinite).toBe(0);
    });
  });

  it('counts every kind of non-finite element, and takes the largest finite ones for what they are', async () => {
    const bits = Uint32Array.of(
      0x7f800000,
      0xff800000,
      0x7fc00000,
      0xffffffff,
      0x7f800001,
      0x00000001,
      0x80000000,
    );
    const data = new Float32Array(bits.buffer);
    await runtime().scope(async () => {
      const out = runtime().empty([2]);
      gradientNorm(runtime(), { banks: [runtime().upload(data, [7])], out });
      expect([...(await runtime().read(out))]).toEqual([0, 5]);
      const large = runtime().upload(Float32Array.of(1e30, -1e30), [2]);
      gradientNorm(runtime(), { banks: [large], out });
      expect([...(await runtime().read(out))]).toEqual([Infinity, 0]);
    });
  });

  it('reads banks through views', async () => {
    const data = Float32Array.from({ length: 500 }, (_, i) => Math.sin(i));
    await runtime().scope(async () => {
      const bank = runtime().upload(data, [5, 100]);
      const out = runtime().empty([2, 2]);
      gradientNorm(runtime(), { banks: [bank.slice(0, 3, 5), bank.slice(0, 0, 1)], out: out.slice(0, 1, 2) });
      const expected = gradientNormReference([data.subarray(300), data.subarray(0, 100)]);
      const norm = (await runtime().read(out))[2]!;
      expect(Math.abs(norm - expected[0]!)).toBeLessThan(1e-6 * norm);
    });
  });

  it('refuses no banks, other types and another output', () => {
    runtime().scope(() => {
      const out = runtime().empty([2]);
      const bank = runtime().empty([4]);
      expect(() => gradientNorm(runtime(), { banks: [], out })).toThrow(/at least one bank/);
      const integers = runtime().empty([4], 'u32');
      expect(() => gradientNorm(runtime(), { banks: [bank, integers], out })).toThrow(/u32\[4\]/);
      expect(() => gradientNorm(runtime(), { banks: [bank], out: bank })).toThrow(/out is f32\[4\]/);
    });
  });
});
