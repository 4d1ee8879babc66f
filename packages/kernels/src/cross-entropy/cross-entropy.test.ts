import { describe, expect, it } from 'vitest';
import { checkReferenceBackward, testKernel } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { crossEntropyBackwardKernel, crossEntropyKernel } from './cross-entropy.cases.js';
import { softCrossEntropy, softCrossEntropyBackward } from './cross-entropy.js';

describe('soft cross entropy', () => {
  const runtime = useRuntime();

  testKernel(runtime, crossEntropyKernel, { randomShapes: 1 });
  testKernel(runtime, crossEntropyBackwardKernel, { randomShapes: 1 });
  it('has a reference whose backward matches differences', () => checkReferenceBackward(crossEntropyKernel));

  it('stays finite where probabilities vanish, with and without a place for them', async () => {
    await runtime().scope(async () => {
      const logits = runtime().upload(new Float32Array([1e4, -1e4, 0]), [1, 3]);
      const targets = runtime().upload(new Float32Array([1, 0, 0]), [1, 3]);
      const [loss, other, probabilities] = [
        runtime().empty([1]),
        runtime().empty([1]),
        runtime().empty([1, 3]),
      ];
      softCrossEntropy(runtime(), { logits, targets, loss, probabilities });
      softCrossEntropy(runtime(), { logits, targets, loss: other });
      expect([...(await runtime().read(loss))]).toEqual([0]);
      expect([...(await runtime().read(other))]).toEqual([0]);
      expect([...(await runtime().read(probabilities))]).toEqual([1, 0, 0]);
    });
  });

  it('refuses what does not fit, naming it', () => {
    runtime().scope(() => {
      const logits = runtime().empty([2, 3]);
      const targets = runtime().empty([2, 4]);
      const loss = runtime().empty([1]);
      expect(() => softCrossEntropy(runtime(), { logits, targets, loss })).toThrow(
        /cross-entropy: targets must be a contiguous f32 array of 6 elements, got f32\[2, 4\]/,
      );
      expect(() => softCrossEntropyBackward(runtime(), { logits, targets: logits, dLogits: logits })).toThrow(
        /dLogits and logits share a buffer/,
      );
    });
  });
});
