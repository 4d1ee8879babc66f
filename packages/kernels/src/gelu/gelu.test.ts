import { describe, expect, it } from 'vitest';
import type { GpuArray } from '../runtime/gpu-array.js';
import { checkReferenceBackward, testKernel } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { geluBackwardKernel, geluKernel } from './gelu.cases.js';
import { gelu, geluBackward } from './gelu.js';
import { geluReference } from './gelu.reference.js';

describe('gelu', () => {
  const runtime = useRuntime();

  testKernel(runtime, geluKernel);
  testKernel(runtime, geluBackwardKernel);
  it('has a reference whose backward matches differences', () => checkReferenceBackward(geluKernel));

  it('keeps the relative accuracy of the left tail, up to the rounding of exp’s argument', async () => {
    const x = Float32Array.from({ length: 80 }, (_, i) => -i / 10);
    const expected = geluReference(Float64Array.from(x));
    const actual = await runtime().scope(async () => {
      const input = runtime().upload(x, [80]);
      const output = runtime().empty([80]);
      gelu(runtime(), input, output);
      return runtime().read(output);
    });
    for (let i = 1; i < 80; i++) expect(Math.abs(actual[i]! / expected[i]! - 1)).toBeLessThan(1e-5);
  });

  it('adds to dx when asked to accumulate', async () => {
    await runtime().scope(async () => {
      const x = runtime().upload(new Float32Array([0, 1]), [2]);
      const dy = runtime().upload(new Float32Array([2, 0]), [2]);
      const dx = runtime().upload(new Float32Array([10, 20]), [2]);
      geluBackward(runtime(), x, dy, dx, { accumulate: true });
      expect([...(await runtime().read(dx))]).toEqual([11, 20]);
    });
  });

  it('takes strided views, and leaves what lies between their rows alone', async () => {
    await runtime().scope(async () => {
      const views = [0, 1, 10].map((value) => {
        const whole = runtime().upload(new Float32Array(12).fill(value), [2, 3, 2]);
        return { whole, view: whole.slice(1, 0, 1) };
      });
      const [x, dy, dx] = views.map(({ view }) => view) as [GpuArray, GpuArray, GpuArray];
      geluBackward(runtime(), x, dy, dx, { accumulate: true });
      const expected = [10.5, 10.5, 10, 10, 10, 10];
      expect([...(await runtime().read(views[2]!.whole))]).toEqual([...expected, ...expected]);
      const y = runtime().empty([2, 1, 2]);
      gelu(runtime(), dy, y);
      for (const value of await runtime().read(y)) expect(value).toBeCloseTo(0.841345, 5);
    });
  });

  it('refuses arrays of different sizes', () => {
    runtime().scope(() => {
      const x = runtime().empty([3]);
      const y = runtime().empty([4]);
      expect(() => gelu(runtime(), x, y)).toThrow(/f32\[3\] and f32\[4\]/);
    });
  });
});
