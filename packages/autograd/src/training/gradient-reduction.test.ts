import { describe, expect, it } from 'vitest';
import type { StepTensors } from '../engine/recorded-step.js';
import { linear } from '../ops/linear.js';
import { twoPartSquareError } from '../ops/losses.js';
import { ParameterStore } from '../parameters/parameter-store.js';
import { useEngine } from '../testing/test-engine.js';
import { TinyTransformer } from '../testing/tiny-transformer.js';
import { GradientReduction, type SumOverRanks } from './gradient-reduction.js';

describe('GradientReduction', () => {
  const engine = useEngine();
  const runtime = () => engine().runtime;

  /** Two ranks with the same batch: doubling is exact. */
  const twoEqualRanks: SumOverRanks = async (values, sums) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    for (let i = 0; i < sums.length; i++) sums[i] = 2 * values[i]!;
  };

  /** `scale` of the loss, weights after `steps` steps of two batches, and what was done while a pass ran. */
  async function train(steps: number, scale: number, reduce: boolean) {
    const model = new TinyTransformer(engine(), 1);
    const sizes: number[] = [];
    const sum: SumOverRanks = (values, sums) => {
      sizes.push(values.length);
      return twoEqualRanks(values, sums);
    };
    const reduction = reduce ? new GradientReduction(model.store, sum, { bucketBytes: 1024 }) : undefined;
    const body = (inputs: StepTensors<'x' | 'target'>) => {
      model.loss(inputs).backward({ scale, observer: reduction });
    };
    const step = (batch: number) =>
      engine().step(body, { inputs: model.data(batch), record: reduction?.plan ?? true });
    let early = 0;
    for (let number = 0; number < steps; number++) {
      await step((2 * number) % 5);
      reduction?.begin();
      sizes.length = 0;
      await step((2 * number + 1) % 5);
      if (number === steps - 1) {
        await runtime().synchronize();
        await new Promise((resolve) => setTimeout(resolve, 50));
        early = sizes.length;
      }
      const times = await reduction?.finish();
      if (times) expect(times.durationMs).toBeGreaterThan(times.waitedMs - 1e-6);
      model.optimiser.step({ learningRate: 0.01 });
    }
    const weights = await model.weights();
    const elements = model.store.banks.reduce((total, { size }) => total + size, 0);
    const { recordings } = engine();
    engine().release(body);
    reduction?.release();
    model.release();
    return { weights, sizes, early, elements, recordings };
  }

  it('gives the bits of a step alone when two ranks have the same batch and half of its weight', async () => {
    const expected = await train(12, 0.5, false);
    const actual = await train(12, 0.25, true);
    expect(actual.weights).toEqual(expected.weights);
    expect(actual.sizes.length).toBeGreaterThan(5);
    expect(actual.sizes.reduce((total, size) => total + size)).toBe(actual.elements);
  });

  it('begins with a bucket when its last gradient is complete, not at the end of the pass', async () => {
    const { early, sizes } = await train(6, 0.25, true);
    // The parameters of the first operations are complete at the end only.
    expect(early).toBeGreaterThanOrEqual(sizes.length - 1);
  });

  it('counts parameters that no gradient reached as zero, whatever their memory holds', async () => {
    const store = new ParameterStore(engine(), [
      { name: 'used', shape: [2, 2] },
      { name: 'idle', shape: [2, 2] },
    ]);
    const reduction = new GradientReduction(store, twoEqualRanks, { bucketBytes: 1024 });
    store.get('used').write(Float32Array.of(1, 0, 0, 1));
    store.get('idle').write(new Float32Array(4));
    for (let pass = 0; pass < 3; pass++) {
      runtime().write(store.get('idle').gradient, new Float32Array(4).fill(7));
      reduction.begin();
      await engine().step(async () => {
        const x = engine().tensor(Float32Array.of(1, 2), [1, 2]);
        const target = runtime().upload(new Float32Array(2), [1, 2]);
        const { loss } = twoPartSquareError(linear(x, store.get('used')), target);
        loss.backward({ observer: reduction });
        await reduction.finish();
      });
      expect([...(await runtime().read(store.get('used').gradient))]).toEqual([2, 4, 4, 8]);
      expect([...(await runtime().read(store.get('idle').gradient))]).toEqual([0, 0, 0, 0]);
      store.zeroGradients();
    }
    reduction.release();
    store.release();
  });

  it('tells of ranks that cannot be reached', async () => {
    const model = new TinyTransformer(engine(), 1);
    const reduction = new GradientReduction(model.store, () => Promise.reject(new Error('rank 1 is gone')));
    reduction.begin();
    await expect(reduction.finish()).rejects.toThrow('rank 1 is gone');
    reduction.release();
    model.release();
  });
});
