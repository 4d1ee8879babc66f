import { describe, expect, it } from 'vitest';
import { checkReferenceBackward, testKernel } from '../testing/kernel-harness.js';
import { testRandom } from '../testing/random.js';
import { useRuntime } from '../testing/test-runtime.js';
import { fill } from '../elementwise/fill.js';
import { fillKernel, sumAllKernel, sumLeadingKernel } from './reduce.cases.js';
import { sumAll } from './sum-all.js';
import { sumLeading } from './sum-leading.js';

describe('reductions', () => {
  const runtime = useRuntime();

  testKernel(runtime, sumAllKernel);
  testKernel(runtime, sumLeadingKernel);
  testKernel(runtime, fillKernel);
  it('have references whose backward matches differences', () => {
    checkReferenceBackward(sumAllKernel);
    checkReferenceBackward(sumLeadingKernel);
  });

  it('sums a million squares to 1e-6 of the sum', async () => {
    const random = testRandom(9);
    const x = Float32Array.from({ length: 1_000_003 }, () => random.normal() ** 2);
    const expected = x.reduce((sum, value) => sum + value, 0);
    await runtime().scope(async () => {
      const out = runtime().empty([1]);
      sumAll(runtime(), { x: runtime().upload(x, [x.length]), out });
      const [actual] = await runtime().read(out);
      expect(Math.abs(actual! / expected - 1)).toBeLessThan(1e-6);
    });
  });

  it('moves the partial sums of a long sum once each way, and nothing of a short one', () => {
    runtime().scope(() => {
      // Chunks of a software driver and of a GPU, of 116 and 29 terms.
      for (const [terms, parts] of [
        [808, runtime().adapter.isSoftware ? 7 : 28],
        [64, 0],
      ] as const) {
        const before = runtime().ledger.total();
        sumLeading(runtime(), { x: runtime().empty([terms, 2, 12]), out: runtime().empty([2, 12]) });
        const after = runtime().ledger.total();
        expect(after.bytesRead - before.bytesRead, `${terms} terms`).toBe(4 * 24 * (terms + parts));
        expect(after.bytesWritten - before.bytesWritten, `${terms} terms`).toBe(4 * 24 * (parts + 1));
      }
    });
  });

  it('refuses what does not fit, naming it', () => {
    runtime().scope(() => {
      const x = runtime().empty([3, 4, 5]);
      const out = runtime().empty([4, 6]);
      expect(() => sumLeading(runtime(), { x, out })).toThrow(
        /sum-leading: out must have 4 rows of 5 columns/,
      );
      expect(() => sumLeading(runtime(), { x: out, out })).toThrow(/x must be f32 of rank 3/);
      expect(() => sumAll(runtime(), { x, out })).toThrow(
        /sum-all: out must be a contiguous f32 array of 1 elements/,
      );
      expect(() => fill(runtime(), { out: runtime().empty([4], 'u32'), value: 1 })).toThrow(
        /out must be f32/,
      );
    });
  });
});
