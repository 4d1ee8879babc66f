import { describe, expect, it } from 'vitest';
import { AdamW } from './adamw.js';
import { ExponentialMovingAverage } from './ema.js';
import { relativeError } from '../engine/gradcheck.js';
import { LossScale, type LossScaleOptions, type LossScaleState } from './loss-scale.js';
import { twoPartSquareError } from '../ops/losses.js';
import { ParameterStore } from '../parameters/parameter-store.js';
import type { StepTensors } from '../engine/recorded-step.js';
import { TinyTransformer } from '../testing/tiny-transformer.js';
import { useEngine, values } from '../testing/test-engine.js';

const betas = [0.9, 0.999] as const;
const SIZE = 300;
const rate = (step: number) => 1e-2 / (1 + step);

describe('LossScale', () => {
  const engine = useEngine();
  const runtime = () => engine().runtime;

  interface Parts {
    readonly store: ParameterStore;
    readonly lossScale: LossScale;
    readonly optimiser: AdamW;
    readonly average: ExponentialMovingAverage;
  }

  /** One parameter with its optimiser under a loss scale, and an average. */
  async function withParts<T>(options: LossScaleOptions, body: (parts: Parts) => Promise<T>): Promise<T> {
    const store = new ParameterStore(engine(), [{ name: 'w', shape: [SIZE], decays: true }]);
    store.get('w').write(Float32Array.from(values(SIZE, 1)));
    const lossScale = new LossScale(engine(), options);
    const optimiser = new AdamW(store, {
      weightDecay: 0.1,
      betas,
      lossScale,
    });
    const average = new ExponentialMovingAverage(store, { decay: 0.5 });
    try {
      return await body({ store, lossScale, optimiser, average });
    } finally {
      average.release();
      optimiser.release();
      lossScale.release();
      store.release();
    }
  }

  const gradientOf = (step: number) => Float32Array.from(values(SIZE, 50 + step), (value) => 0.1 * value);

  /** A step with this gradient, as a backward pass under the scale would leave it; in f16 all above 65504 overflows. */
  async function step(
    { store, lossScale, optimiser, average }: Parts,
    number: number,
    peak = 0,
  ): Promise<void> {
    const { scale } = await lossScale.read();
    const gradient = gradientOf(number);
    if (peak > 0) gradient[7] = peak;
    const scaled = gradient.map((value) => (Math.abs(value * scale) > 65504 ? Infinity : value * scale));
    runtime().write(store.get('w').gradientTarget().array, scaled);
    optimiser.step({ learningRate: rate(number) });
    average.update({ lossScale });
  }

  /** The same in float64, with the rules written out. */
  function plainTraining(peaks: readonly number[], growthInterval: number, limit = Infinity) {
    const w = Float64Array.from(Float32Array.from(values(SIZE, 1)));
    const [m, v] = [new Float64Array(SIZE), new Float64Array(SIZE)];
    const average = w.slice();
    const states: LossScaleState[] = [];
    let state: LossScaleState = { scale: 65536, goodSteps: 0, takenSteps: 0, skippedSteps: 0 };
    peaks.forEach((peak, number) => {
      const gradient = Float64Array.from(gradientOf(number));
      if (peak > 0) gradient[7] = peak;
      const { scale, goodSteps, takenSteps, skippedSteps } = state;
      if (gradient.some((value) => Math.abs(value) * scale > 65504)) {
        state = { scale: scale / 2, goodSteps: 0, takenSteps, skippedSteps: skippedSteps + 1 };
      } else {
        const grows = goodSteps + 1 === growthInterval;
        const t = takenSteps + 1;
        state = {
          scale: grows ? 2 * scale : scale,
          goodSteps: grows ? 0 : goodSteps + 1,
          takenSteps: t,
          skippedSteps,
        };
        const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
        const factor = Math.min(1, limit / (norm + 1e-6));
        const [c1, c2] = betas.map((beta) => 1 - beta ** t) as [number, number];
        for (let i = 0; i < SIZE; i++) {
          const g = factor * gradient[i]!;
          m[i] = betas[0] * m[i]! + (1 - betas[0]) * g;
          v[i] = betas[1] * v[i]! + (1 - betas[1]) * g * g;
          w[i]! -= rate(number) * (0.1 * w[i]! + m[i]! / c1 / (Math.sqrt(v[i]! / c2) + 1e-8));
          average[i] = 0.5 * average[i]! + 0.5 * w[i]!;
        }
      }
      states.push(state);
    });
    return { w, average, states };
  }

  // Some overflow at once, some only once the scale has grown.
  const peaks = Array.from({ length: 60 }, (_, i) => (i % 13 === 0 ? 3 : i % 5 === 0 ? 0.9 : 0));

  it.each([
    ['as they are', undefined],
    ['clipped', 0.3],
  ])('keeps to the rules over many steps, with gradients %s', async (_, limit) => {
    const expected = plainTraining(peaks, 4, limit);
    await withParts({ growthInterval: 4, maxGradientNorm: limit }, async (parts) => {
      for (const [number, peak] of peaks.entries()) {
        await step(parts, number, peak);
        const outcome = await parts.lossScale.read();
        expect(outcome, `step ${number}`).toMatchObject(expected.states[number]!);
        expect(Number.isFinite(outcome.gradientNorm)).toBe(!outcome.skipped);
      }
      const { skippedSteps, takenSteps } = expected.states.at(-1)!;
      expect(skippedSteps).toBeGreaterThan(5);
      expect(takenSteps).toBeGreaterThan(30);
      expect(relativeError(await parts.store.get('w').read(), expected.w)).toBeLessThan(1e-6);
      const average = (await parts.average.state()).get('w')!;
      expect(relativeError(average, expected.average)).toBeLessThan(1e-6);
    });
  });

  it('changes nothing but the scale in a step that it skips', () =>
    withParts({}, async (parts) => {
      const { store, optimiser, average, lossScale } = parts;
      await step(parts, 0, 0.5);
      const all = async () => [await store.get('w').read(), await optimiser.state(), await average.state()];
      const before = await all();
      await step(parts, 1, Infinity);
      expect(await all()).toEqual(before);
      expect(await lossScale.read()).toMatchObject({
        ...{ scale: 32768, goodSteps: 0, takenSteps: 1, skippedSteps: 1, skipped: true },
        gradientNorm: Infinity,
      });
    }));

  it('that is constant skips what is not finite too, and stays where it is', () =>
    withParts({ dynamic: false, growthInterval: 1, maxGradientNorm: 0.3 }, async (parts) => {
      await step(parts, 0, 0.5);
      const weights = await parts.store.get('w').read();
      expect(await parts.lossScale.read()).toMatchObject({ scale: 1, takenSteps: 1, skipped: false });
      await step(parts, 1, Infinity);
      expect(await parts.lossScale.read()).toMatchObject({ scale: 1, skippedSteps: 1, skipped: true });
      expect(await parts.store.get('w').read()).toEqual(weights);
    }));

  it('tells the norm without the scale', () =>
    withParts({ maxGradientNorm: 1e-3 }, async (parts) => {
      await step(parts, 3);
      const norm = Math.sqrt(gradientOf(3).reduce((sum, value) => sum + value * value, 0));
      expect((await parts.lossScale.read()).gradientNorm / norm).toBeCloseTo(1, 5);
    }));

  it('goes on from a saved state bit for bit', async () => {
    const run = async (parts: Parts, from: number, to: number) => {
      for (let number = from; number < to; number++) await step(parts, number, peaks[number]);
    };
    const options = { growthInterval: 4 };
    const straight = await withParts(options, async (parts) => {
      await run(parts, 0, 40);
      return { w: await parts.store.get('w').read(), outcome: await parts.lossScale.read() };
    });
    const saved = await withParts(options, async (parts) => {
      await run(parts, 0, 17);
      const { store, optimiser, lossScale } = parts;
      return { w: await store.get('w').read(), m: await optimiser.state(), scale: await lossScale.read() };
    });
    await withParts(options, async (parts) => {
      parts.store.get('w').write(saved.w);
      parts.optimiser.restore(saved.m, 17);
      parts.lossScale.restore(saved.scale);
      await run(parts, 17, 40);
      expect(await parts.store.get('w').read()).toEqual(straight.w);
      expect(await parts.lossScale.read()).toEqual(straight.outcome);
    });
  });

  it('takes a loss that is not finite for an overflow', () =>
    withParts({}, ({ store, optimiser, lossScale }) =>
      engine().step(async () => {
        const target = engine().tensor(new Float32Array(SIZE).fill(1e30), [SIZE]);
        const { loss } = twoPartSquareError(store.get('w'), target.array);
        expect(await loss.item()).toBe(Infinity);
        loss.backward({ lossScale });
        optimiser.step({ learningRate: 1 });
        expect(await lossScale.read()).toMatchObject({ skipped: true, scale: 32768 });
        expect(await store.get('w').read()).toEqual(Float32Array.from(values(SIZE, 1)));
      }),
    ));

  it('gives the bits of the unrecorded step over 30 steps of two accumulated batches', async () => {
    const train = async (isRecorded: boolean) => {
      const lossScale = new LossScale(engine(), { growthInterval: 3, initialScale: 2 ** 66 });
      const model = new TinyTransformer(engine(), 1, { lossScale });
      const forwardBackward = (batch: StepTensors<'x' | 'target'>) => {
        const loss = model.loss(batch);
        loss.backward({ scale: 0.5, lossScale });
        return loss;
      };
      const seen: unknown[] = [];
      for (let number = 0; number < 30; number++) {
        for (const half of [0, 1]) {
          const inputs = model.data((2 * number + half) % 5);
          const loss = await engine().step(forwardBackward, { inputs, record: isRecorded });
          seen.push(await loss.item());
        }
        model.optimiser.step({ learningRate: 0.01 });
        seen.push(await lossScale.read());
      }
      const weights = await model.weights();
      engine().release(forwardBackward);
      model.release();
      lossScale.release();
      return { seen, weights };
    };
    const expected = await train(false);
    expect(await train(true)).toEqual(expected);
    const last = expected.seen.at(-1) as LossScaleState;
    expect(last.skippedSteps, 'squares beyond 2¹²⁸ overflow').toBeGreaterThan(2);
    expect(last.takenSteps).toBeGreaterThan(15);
  });

  it('changes no update where nothing overflows: powers of two scale without rounding', async () => {
    const train = async (scale?: number) => {
      const lossScale = scale === undefined ? undefined : new LossScale(engine(), { initialScale: scale });
      const model = new TinyTransformer(engine(), 1, { lossScale });
      for (let number = 0; number < 5; number++) await model.step(number);
      const weights = await model.weights();
      model.release();
      lossScale?.release();
      return weights;
    };
    expect(relativeError(await train(1024), await train())).toBeLessThan(1e-5);
    expect(await train(1024)).toEqual(await train(4));
  });

  it('refuses impossible rules and states, and a second way to scale', () =>
    withParts({}, async ({ lossScale, optimiser }) => {
      expect(() => new LossScale(engine(), { initialScale: 1000 })).toThrow('initialScale is 1000');
      expect(() => new LossScale(engine(), { growthInterval: 0 })).toThrow('growthInterval is 0');
      expect(() => new LossScale(engine(), { maxGradientNorm: 0 })).toThrow('maxGradientNorm is 0');
      const before = await lossScale.read();
      expect(() => lossScale.restore({ ...before, scale: 0 })).toThrow('a scale of 0');
      expect(() => lossScale.restore({ ...before, takenSteps: -1 })).toThrow('-1 taken');
      expect(await lossScale.read()).toEqual(before);
      expect(() => optimiser.step({ learningRate: 1, gradientScale: 0.5 })).toThrow('gradientScale is 0.5');
    }));
});
