import { describe, expect, it } from 'vitest';
import { checkReferenceBackward, testKernel } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { columnSumKernel } from './column-sum.cases.js';
import { columnSum } from './column-sum.js';

describe('column sum', () => {
  const runtime = useRuntime();

  testKernel(runtime, columnSumKernel);
  it('has a reference whose backward matches differences', () => checkReferenceBackward(columnSumKernel));

  it('gives its partial sums back', () => {
    runtime().scope(() => {
      const x = runtime().empty([1000, 8]);
      const out = runtime().empty([8]);
      const before = runtime().pool.liveBytes;
      columnSum(runtime(), { x, out });
      expect(runtime().pool.liveBytes).toBe(before);
    });
  });

  it('refuses an output of another width, and one inside its input', () => {
    runtime().scope(() => {
      const x = runtime().empty([3, 4]);
      expect(() => columnSum(runtime(), { x, out: runtime().empty([3]) })).toThrow(
        /out must be .* 4 elements.*\[3\]/,
      );
      expect(() => columnSum(runtime(), { x, out: x.slice(0, 0, 1) })).toThrow(/share a buffer/);
    });
  });
});
