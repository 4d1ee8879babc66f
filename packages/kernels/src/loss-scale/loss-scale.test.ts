import { describe, expect, it } from 'vitest';
import { testKernel } from '../testing/kernel-harness.js';
import { testRandom } from '../testing/random.js';
import { useRuntime } from '../testing/test-runtime.js';
import { lossScaleCotangentKernel, lossScaleKernel } from './loss-scale.cases.js';
import { scaledCotangent, updateLossScale, type LossScaleUpdateOptions } from './loss-scale.js';
import { lossScaleReference } from './loss-scale.reference.js';

const rules = { beta1: 0.9, beta2: 0.999, growthInterval: 5 };

describe('loss-scale', () => {
  const runtime = useRuntime();

  /** State and step data after each of these gradient norms, the scale being 65536 at first. */
  async function decide(
    norms: readonly (readonly [number, number])[],
    options: Partial<LossScaleUpdateOptions> = {},
  ): Promise<{ state: number[]; step: number[] }[]> {
    return runtime().scope(async () => {
      const state = runtime().upload(Float32Array.of(65536, 0, 0, 0, 0, 0), [6]);
      const [array, step] = [runtime().empty([2]), runtime().empty([4])];
      const decisions: { state: number[]; step: number[] }[] = [];
      for (const norm of norms) {
        runtime().write(array, Float32Array.from(norm));
        updateLossScale(runtime(), { state, norms: array, step, ...rules, ...options });
        const [ofState, ofStep] = [await runtime().read(state), await runtime().read(step)];
        decisions.push({ state: [...ofState], step: [...ofStep] });
      }
      return decisions;
    });
  }

  testKernel(runtime, lossScaleKernel);

  it('goes with the plain rules over 400 steps, every fifth of which overflows', async () => {
    const random = testRandom(8);
    const norms = Array.from({ length: 400 }, () => {
      return [1e5 * random.uniform(), random.integer(12) === 0 ? 1 + random.integer(9) : 0] as const;
    });
    let state: ArrayLike<number> = [65536, 0, 0, 0, 0, 0];
    const scales = new Set<number>();
    for (const [i, decision] of (await decide(norms)).entries()) {
      const expected = lossScaleReference(state, norms[i]!, { ...rules, maxNorm: 0, isConstant: false });
      state = expected.state;
      expect(decision.state.slice(0, 4), `step ${i}`).toEqual(Array.from(state).slice(0, 4));
      expect(decision.state[5]).toBe(state[5]);
      decision.step.forEach((value, k) => expect(value / expected.step[k]! || 1).toBeCloseTo(1, 6));
      scales.add(state[0]!);
    }
    expect(scales.size, 'it moved in both directions').toBeGreaterThan(6);
  });

  it('takes infinite and missing norms for overflow', async () => {
    const decisions = await decide([
      [Infinity, 0],
      [NaN, 0],
      [3, 1],
      [3, 0],
    ]);
    expect(decisions.map(({ state }) => state.slice(0, 4))).toEqual([
      [32768, 0, 0, 1],
      [16384, 0, 0, 2],
      [8192, 0, 0, 3],
      [8192, 1, 1, 3],
    ]);
    expect(decisions.map(({ step }) => step[3])).toEqual([1, 1, 1, 0]);
  });

  it.each([0.9, 0.95, 0.999, 0.9999])(
    'corrects the bias of β = %d to f32 accuracy at any step',
    async (beta2) => {
      const steps = [1, 2, 3, 10, 100, 999, 1000, 4095, 65_535, 1_000_000, 2 ** 24 - 1];
      await runtime().scope(async () => {
        const [norms, step] = [runtime().upload(Float32Array.of(1, 0), [2]), runtime().empty([4])];
        for (const taken of steps) {
          const state = runtime().upload(Float32Array.of(1, 0, taken - 1, 0, 0, 0), [6]);
          updateLossScale(runtime(), { state, norms, step, ...rules, beta2 });
          const expected = -Math.expm1(taken * Math.log(beta2));
          const actual = (await runtime().read(step))[1]!;
          expect(Math.abs(actual / expected - 1), `step ${taken}`).toBeLessThan(5e-7);
        }
      });
    },
  );

  it('refuses other arrays and impossible rules', () => {
    runtime().scope(() => {
      const [state, norms, step] = [6, 2, 4].map((size) => runtime().empty([size])) as [never, never, never];
      const call = (change: object) => () =>
        updateLossScale(runtime(), { state, norms, step, ...rules, ...change });
      expect(call({ state: runtime().empty([4]) })).toThrow(/state must be .* 6 elements, got f32\[4\]/);
      expect(call({ norms: state })).toThrow(/norms must be/);
      expect(call({ beta2: 1 })).toThrow(/beta2 1/);
      expect(call({ growthInterval: 0 })).toThrow(/growthInterval is 0/);
      expect(call({ maxNorm: NaN })).toThrow(/maxNorm is NaN/);
    });
  });
});

describe('loss-scale-cotangent', () => {
  const runtime = useRuntime();

  testKernel(runtime, lossScaleCotangentKernel);

  it.each([NaN, Infinity, -Infinity])('hands a loss of %d on', async (loss) => {
    await runtime().scope(async () => {
      const out = runtime().empty([1]);
      scaledCotangent(runtime(), {
        loss: runtime().upload(Float32Array.of(loss), [1]),
        state: runtime().upload(Float32Array.of(8, 0, 0, 0, 0, 0), [6]),
        out,
        factor: 0.5,
      });
      expect((await runtime().read(out))[0]).toBe(loss);
    });
  });

  it('refuses more than one loss and shared memory', () => {
    runtime().scope(() => {
      const [loss, state, out] = [1, 6, 1].map((size) => runtime().empty([size])) as [never, never, never];
      const call = (change: object) => () =>
        scaledCotangent(runtime(), { loss, state, out, factor: 1, ...change });
      expect(call({ loss: runtime().empty([2]) })).toThrow(/loss is f32\[2\]/);
      expect(call({ out: loss })).toThrow(/share a buffer/);
      expect(call({ factor: NaN })).toThrow(RangeError);
    });
  });
});
