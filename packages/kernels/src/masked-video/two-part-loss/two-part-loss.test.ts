import { describe, expect, it } from 'vitest';
import { checkReferenceBackward, testKernel } from '../../testing/kernel-harness.js';
import { testRandom } from '../../testing/random.js';
import { useRuntime } from '../../testing/test-runtime.js';
import { twoPartLossBackwardKernel, twoPartLossKernel } from './two-part-loss.cases.js';
import { twoPartLoss, twoPartLossBackward } from './two-part-loss.js';
import { twoPartLossGradient, twoPartLossReference } from './two-part-loss.reference.js';

describe('two-part loss', () => {
  const runtime = useRuntime();

  testKernel(runtime, twoPartLossKernel);
  testKernel(runtime, twoPartLossBackwardKernel);
  it('has a reference whose backward matches differences', () => checkReferenceBackward(twoPartLossKernel));

  it('is the plain mean squared error at weight one half, to 1e-6 of it over a million terms', async () => {
    const random = testRandom(4);
    const [rows, columns] = [720, 1536];
    const prediction = Float32Array.from({ length: rows * columns }, () => 0.01 * random.normal());
    const target = Float32Array.from({ length: rows * columns }, () => 0.01 * random.normal());
    const expected =
      prediction.reduce((sum, value, i) => sum + (value - target[i]!) ** 2, 0) / prediction.length;
    const wanted = twoPartLossReference(
      Float64Array.from(prediction),
      Float64Array.from(target),
      columns / 2,
      0.5,
    );
    await runtime().scope(async () => {
      const loss = runtime().empty([3]);
      twoPartLoss(runtime(), {
        prediction: runtime().upload(prediction, [rows, columns]),
        target: runtime().upload(target, [rows, columns]),
        loss,
        appearanceWeight: 0.5,
      });
      const actual = await runtime().read(loss);
      expect(Math.abs(actual[0]! / expected - 1)).toBeLessThan(1e-6);
      for (let i = 0; i < 3; i++) expect(Math.abs(actual[i]! / wanted[i]! - 1)).toBeLessThan(1e-6);
    });
  });

  it('keeps small gradients of large batches to 1e-6 of their size', async () => {
    const random = testRandom(6);
    const shape = [300, 200];
    const prediction = Float32Array.from({ length: 60_000 }, () => random.normal());
    const target = Float32Array.from({ length: 60_000 }, () => random.normal());
    const wanted = twoPartLossGradient(
      Float64Array.from(prediction),
      Float64Array.from(target),
      100,
      0.25,
      [1],
    );
    await runtime().scope(async () => {
      const dPrediction = runtime().empty(shape);
      twoPartLossBackward(runtime(), {
        prediction: runtime().upload(prediction, shape),
        target: runtime().upload(target, shape),
        dPrediction,
        appearanceWeight: 0.25,
      });
      const actual = await runtime().read(dPrediction);
      const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      wanted.forEach((value, i) => expect(Math.abs(actual[i]! - value) / largest).toBeLessThan(1e-6));
    });
  });

  it('refuses what does not fit, naming it', () => {
    runtime().scope(() => {
      const odd = runtime().empty([4, 3]);
      const prediction = runtime().empty([4, 6]);
      const target = runtime().empty([4, 6]);
      const loss = runtime().empty([3]);
      const given = { prediction, target, loss, appearanceWeight: 0.5 };
      expect(() => twoPartLoss(runtime(), { ...given, prediction: odd, target: odd })).toThrow(
        /even number of columns/,
      );
      expect(() => twoPartLoss(runtime(), { ...given, target: odd })).toThrow(
        /target must have 4 rows of 6 columns/,
      );
      expect(() => twoPartLoss(runtime(), { ...given, appearanceWeight: 1.5 })).toThrow(
        /between 0 and 1, got 1.5/,
      );
      expect(() => twoPartLossBackward(runtime(), { ...given, dPrediction: target })).toThrow(
        /dPrediction and target share a buffer/,
      );
    });
  });
});
