import { describe, expect, it } from 'vitest';
import { checkReferenceBackward, testKernel } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { rowScaleKernel } from './row-scale.cases.js';
import { rowScale } from './row-scale.js';

describe('row scale', () => {
  const runtime = useRuntime();

  testKernel(runtime, rowScaleKernel, { randomShapes: 4 });
  it('has a reference whose backward matches differences', () => checkReferenceBackward(rowScaleKernel));

  it('scales rows in place', async () => {
    await runtime().scope(async () => {
      const rows = runtime().upload(new Float32Array([1, 2, 3, 4]), [4, 1]);
      const scale = runtime().upload(new Float32Array([0, 2]), [2]);
      rowScale(runtime(), { x: rows, scale, rowsPerScale: 2, out: rows });
      expect([...(await runtime().read(rows))]).toEqual([0, 0, 6, 8]);
    });
  });

  it('refuses what does not fit, naming it', () => {
    runtime().scope(() => {
      const x = runtime().empty([6, 2]);
      const out = runtime().empty([6, 2]);
      const scale = runtime().empty([2]);
      const given = { x, scale, rowsPerScale: 3, out };
      expect(() => rowScale(runtime(), { ...given, rowsPerScale: 4 })).toThrow(
        /rowsPerScale 4 does not divide the 6/,
      );
      expect(() => rowScale(runtime(), { ...given, rowsPerScale: 2 })).toThrow(
        /scale must be .* of 3 elements/,
      );
      expect(() => rowScale(runtime(), { ...given, residual: out, accumulate: true })).toThrow(
        /residual is out itself/,
      );
      expect(() => rowScale(runtime(), { ...given, x: out.slice(0, 0, 3), rowsPerScale: 3 })).toThrow(
        /row-scale:/,
      );
    });
  });
});
