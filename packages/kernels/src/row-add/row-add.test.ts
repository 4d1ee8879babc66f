import { describe, expect, it } from 'vitest';
import { checkReferenceBackward, testKernel } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { rowAddKernel } from './row-add.cases.js';
import { rowAdd, uploadIndices } from './row-add.js';

describe('row add', () => {
  const runtime = useRuntime();

  testKernel(runtime, rowAddKernel);
  it('has a reference whose backward matches differences', () => checkReferenceBackward(rowAddKernel));

  it('adds table rows in place', async () => {
    await runtime().scope(async () => {
      const rows = runtime().upload(new Float32Array([1, 2, 3, 4, 5, 6]), [3, 2]);
      const table = runtime().upload(new Float32Array([10, 20, 30, 40]), [2, 2]);
      const indices = runtime().upload(new Uint32Array([1, 0, 1]), [3]);
      rowAdd(runtime(), { a: rows, table, indices, out: rows });
      expect([...(await runtime().read(rows))]).toEqual([31, 42, 13, 24, 35, 46]);
    });
  });

  it('copies rows within one buffer', async () => {
    await runtime().scope(async () => {
      const rows = runtime().upload(new Float32Array([1, 2, 3, 4, 5, 6, 7, 8]), [2, 2, 2]);
      rowAdd(runtime(), { a: rows.slice(1, 0, 1), out: rows.slice(1, 1, 2) });
      expect([...(await runtime().read(rows))]).toEqual([1, 2, 1, 2, 5, 6, 5, 6]);
    });
  });

  it('uploads indices that lie in the table, and no others', () =>
    runtime().scope(async () => {
      const table = { rows: 3, label: 'token order' };
      const indices = uploadIndices(runtime(), Uint32Array.of(2, 0), [2, 1], table);
      expect([...new Uint32Array(await runtime().readBytes(indices))]).toEqual([2, 0]);
      expect(() => uploadIndices(runtime(), Uint32Array.of(2, 3), [2], table)).toThrow(
        /token order: index 1 is 3, but there are 3 rows: give 0 to 2/,
      );
    }));

  it('refuses what does not fit, naming it', () => {
    runtime().scope(() => {
      const a = runtime().empty([4, 2]);
      const out = runtime().empty([4, 2]);
      const indices = runtime().empty([4], 'u32');
      expect(() => rowAdd(runtime(), { a, out: out.slice(0, 0, 3) })).toThrow(
        /out must have 4 rows of 2 columns/,
      );
      expect(() => rowAdd(runtime(), { a, out, indices })).toThrow(/only indices was given/);
      expect(() => rowAdd(runtime(), { a, out, table: a, indices: indices.slice(0, 0, 2) })).toThrow(
        /indices must be a contiguous u32 array of 4 elements/,
      );
      const row = runtime().empty([2]);
      expect(() => rowAdd(runtime(), { a, out: row.broadcastLeading(4) })).toThrow(/rows of .* share memory/);
    });
  });
});
