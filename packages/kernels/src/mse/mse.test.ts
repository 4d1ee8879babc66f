import { describe, expect, it } from 'vitest';
import { checkReferenceBackward, testKernel } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { mseBackwardKernel, mseKernel } from './mse.cases.js';
import { mse, mseBackward } from './mse.js';

describe('mean squared error', () => {
  const runtime = useRuntime();

  testKernel(runtime, mseKernel);
  testKernel(runtime, mseBackwardKernel);
  it('has a reference whose backward matches differences', () => checkReferenceBackward(mseKernel));

  it('refuses what does not fit, naming it', () => {
    runtime().scope(() => {
      const prediction = runtime().empty([4, 3]);
      const target = runtime().empty([4, 3]);
      const loss = runtime().empty([1]);
      expect(() => mse(runtime(), { prediction, target: target.slice(0, 0, 3), loss })).toThrow(
        /mse: target must have 4 rows of 3 columns/,
      );
      expect(() => mse(runtime(), { prediction, target, loss: target })).toThrow(
        /loss must be a contiguous f32 array of 1 elements/,
      );
      expect(() => mseBackward(runtime(), { prediction, target, dPrediction: target })).toThrow(
        /dPrediction and target share a buffer/,
      );
    });
  });
});
