import { describe, expect, it } from 'vitest';
import { GpuArray } from '../runtime/gpu-array.js';
import { checkReferenceBackward, testKernel } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { broadcastShape } from './axes.js';
import { stridedMap } from './map.js';
import { stridedReduce } from './reduce.js';
import { stridedMapKernel, stridedReduceKernel } from './strided.cases.js';

describe('arrays with any strides', () => {
  const runtime = useRuntime();

  testKernel(runtime, stridedMapKernel, { randomShapes: 12 });
  testKernel(runtime, stridedReduceKernel, { randomShapes: 12 });
  it('have a mapped reference whose backward matches differences', () =>
    checkReferenceBackward(stridedMapKernel));
  it('have a reduced reference whose backward matches differences', () =>
    checkReferenceBackward(stridedReduceKernel));

  it('are walked backwards by a stride below zero', () =>
    runtime().scope(async () => {
      const x = runtime().upload(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
      const reversed = new GpuArray(x.storage, 'f32', [2, 3], [-3, -1], 5);
      const out = runtime().empty([2, 3]);
      stridedMap(runtime(), { kernel: 'copy', inputs: { a: { array: reversed } }, value: 'a', out });
      expect([...(await runtime().read(out))]).toEqual([6, 5, 4, 3, 2, 1]);
    }));

  it('may lie in the buffer of the output', () =>
    runtime().scope(async () => {
      const x = runtime().upload(Float32Array.of(1, 2, 3, 4), [4]);
      const inputs = { a: { array: x.slice(0, 0, 2) }, b: { array: x.slice(0, 1, 3) } };
      stridedMap(runtime(), { kernel: 'sum', inputs, value: 'a + b', out: x.slice(0, 2, 4) });
      expect([...(await runtime().read(x))]).toEqual([1, 2, 3, 5]);
    }));

  it('keep what is not a number, and give their partial results back', () =>
    runtime().scope(async () => {
      const x = runtime().upload(new Float32Array(200).fill(1).fill(NaN, 70, 71), [200]);
      const out = runtime().empty([1]);
      const before = runtime().pool.liveBytes;
      const largest = { kernel: 'max', combination: 'largest', value: 'a' } as const;
      stridedReduce(runtime(), { ...largest, inputs: { a: { array: x } }, out });
      expect(await runtime().read(out)).toEqual(Float32Array.of(NaN));
      expect(runtime().pool.liveBytes).toBe(before);
    }));

  it('are refused where shapes do not fit, and where more than six axes are left', () =>
    runtime().scope(() => {
      expect(() => broadcastShape('add', [[2, 3], [4]])).toThrow(/add: shapes \[2, 3\] and \[4\]/);
      const out = runtime().empty([2, 3]);
      const call = { kernel: 'sum', value: 'a', combination: 'sum' } as const;
      const inputs = { a: { array: runtime().empty([2, 4]) } };
      expect(() => stridedMap(runtime(), { ...call, inputs, out })).toThrow(/\[2, 4\].*\[2, 3\]/);
      expect(() => stridedReduce(runtime(), { ...call, inputs, out })).toThrow(/out f32\[2, 3\].*\[2, 4\]/);
      const x = runtime().empty([2, 2, 2, 2, 2, 2, 2]);
      const reversed = new GpuArray(x.storage, 'f32', x.shape, x.strides.toReversed());
      expect(() =>
        stridedMap(runtime(), {
          kernel: 'copy',
          inputs: { a: { array: reversed } },
          value: 'a',
          out: runtime().empty(x.shape),
        }),
      ).toThrow(/7 axes/);
    }));
});
