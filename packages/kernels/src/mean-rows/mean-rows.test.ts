import { describe, expect, it } from 'vitest';
import { checkReferenceBackward, testKernel } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { meanRowsBackwardKernel, meanRowsKernel } from './mean-rows.cases.js';
import { meanRows, meanRowsBackward } from './mean-rows.js';

describe('mean over rows', () => {
  const runtime = useRuntime();

  testKernel(runtime, meanRowsKernel);
  testKernel(runtime, meanRowsBackwardKernel);
  it('has a reference whose backward matches differences', () => checkReferenceBackward(meanRowsKernel));

  it('refuses what does not fit, naming it', () => {
    runtime().scope(() => {
      const x = runtime().empty([2, 3, 4]);
      const out = runtime().empty([3, 4]);
      expect(() => meanRows(runtime(), { x, out })).toThrow(/mean-rows: out must have 2 rows of 4 columns/);
      expect(() => meanRows(runtime(), { x: out, out })).toThrow(/x must be \[B, L, C\], got f32\[3, 4\]/);
      expect(() => meanRowsBackward(runtime(), { dOut: out, dx: x })).toThrow(
        /dOut must have 2 rows of 4 columns/,
      );
    });
  });
});
