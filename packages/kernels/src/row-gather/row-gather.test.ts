import { describe, expect, it } from 'vitest';
import { checkKernel, checkReferenceBackward } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { rowGatherKernel, rowScatterKernel } from './row-gather.cases.js';
import { rowGather, rowScatter } from './row-gather.js';

describe('row gather and scatter', () => {
  const runtime = useRuntime();

  it('gather matches on every case and leaves other rows alone', () =>
    checkKernel(runtime(), rowGatherKernel));
  it('scatter matches on every case and leaves other rows alone', () =>
    checkKernel(runtime(), rowScatterKernel));
  it('have references whose backward matches differences', () => {
    checkReferenceBackward(rowGatherKernel);
    checkReferenceBackward(rowScatterKernel);
  });

  it('gather takes an index twice', async () => {
    await runtime().scope(async () => {
      const x = runtime().upload(new Float32Array([1, 2, 3, 4]), [1, 2, 2]);
      const indices = runtime().upload(new Uint32Array([1, 1, 0]), [1, 3]);
      const out = runtime().empty([3, 2]);
      rowGather(runtime(), { x, indices, out });
      expect([...(await runtime().read(out))]).toEqual([3, 4, 3, 4, 1, 2]);
    });
  });

  it('refuses what does not fit, naming it', () => {
    runtime().scope(() => {
      const x = runtime().empty([2, 5, 4]);
      const indices = runtime().empty([2, 3], 'u32');
      const out = runtime().empty([2, 3, 4]);
      expect(() => rowGather(runtime(), { x: out.reshape([6, 4]), indices, out: x })).toThrow(
        /x must be f32 \[G, P, C\]/,
      );
      expect(() => rowGather(runtime(), { x, indices: indices.reshape([3, 2]), out })).toThrow(
        /row-gather: indices must be u32 \[2, I\]/,
      );
      expect(() => rowGather(runtime(), { x, indices, out: x })).toThrow(/out must have 6 rows of 4 columns/);
      expect(() => rowScatter(runtime(), { x, indices, out })).toThrow(
        /row-scatter: x must have 6 rows of 4 columns/,
      );
    });
  });
});
