import { describe, expect, it } from 'vitest';
import { checkReferenceBackward, testKernel } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { layerNormBackward } from './layer-norm-backward.js';
import { layerNormBackwardKernel, layerNormKernel } from './layer-norm.cases.js';
import { layerNorm } from './layer-norm.js';

describe('layer norm', () => {
  const runtime = useRuntime();

  testKernel(runtime, layerNormKernel, { randomShapes: 1 });
  testKernel(runtime, layerNormBackwardKernel, { randomShapes: 1 });
  it('has a reference whose backward matches differences', () => checkReferenceBackward(layerNormKernel));

  it('takes another epsilon', async () => {
    await runtime().scope(async () => {
      const x = runtime().upload(new Float32Array([-1, 1]), [1, 2]);
      const weight = runtime().upload(new Float32Array([1, 1]), [2]);
      const bias = runtime().upload(new Float32Array([0, 0]), [2]);
      const [out, mean, rstd] = [runtime().empty([1, 2]), runtime().empty([1]), runtime().empty([1])];
      layerNorm(runtime(), { x, weight, bias, out, mean, rstd, epsilon: 3 });
      expect([...(await runtime().read(out))]).toEqual([-0.5, 0.5]);
    });
  });

  it('refuses arrays that do not fit together, naming the kernel and the array', () => {
    runtime().scope(() => {
      const x = runtime().empty([4, 6]);
      const parameter = runtime().empty([6]);
      const [out, mean, rstd] = [runtime().empty([4, 6]), runtime().empty([4]), runtime().empty([4])];
      const arrays = { x, weight: parameter, bias: parameter, out, mean, rstd };
      expect(() => layerNorm(runtime(), { ...arrays, weight: mean })).toThrow(
        /layer-norm: weight must be a contiguous f32 array of 6 elements, got f32\[4\]/,
      );
      expect(() => layerNorm(runtime(), { ...arrays, out: x })).toThrow(/out and x share a buffer/);
      expect(() =>
        layerNormBackward(runtime(), { ...arrays, dOut: x, dx: out, dWeight: parameter, dBias: mean }),
      ).toThrow(/layer-norm-backward: dBias must be/);
    });
  });
});
