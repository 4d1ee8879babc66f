import { describe, expect, it } from 'vitest';
import { relativeError } from '../engine/gradcheck.js';
import { ParameterStore, type PackSpec, type ParameterSpec } from '../parameters/parameter-store.js';
import { useEngine, values } from '../testing/test-engine.js';
import { ExponentialMovingAverage } from './ema.js';

const specs: readonly (ParameterSpec | PackSpec)[] = [
  { name: 'patch.weight', shape: [20, 30] },
  { pack: 'qkv', shape: [9], parts: [{ name: 'q', shape: [3] }, { gap: 3 }, { name: 'v', shape: [3] }] },
  { name: 'head.weight', shape: [7, 20] },
];

describe('ExponentialMovingAverage', () => {
  const engine = useEngine();

  const weightsAt = (step: number, size: number, index: number) =>
    Float32Array.from(values(size, 10 * step + index));

  function writeWeights(store: ParameterStore, step: number): void {
    [...store.parameters.values()].forEach((parameter, i) =>
      parameter.write(weightsAt(step, parameter.array.size, i)),
    );
  }

  async function withAverage(
    decay: number,
    body: (store: ParameterStore, average: ExponentialMovingAverage) => void | Promise<void>,
    maxBankBytes = Infinity,
  ): Promise<void> {
    await engine().step(async () => {
      const { liveBytes } = engine().runtime.pool;
      const store = new ParameterStore(engine(), specs, { maxBankBytes });
      writeWeights(store, 0);
      const average = new ExponentialMovingAverage(store, { decay });
      await body(store, average);
      average.release();
      store.release();
      expect(engine().runtime.pool.liveBytes, 'all memory is back').toBe(liveBytes);
    });
  }

  function update(store: ParameterStore, average: ExponentialMovingAverage, from: number, to: number): void {
    for (let step = from; step <= to; step++) {
      writeWeights(store, step);
      average.update();
    }
  }

  it('is decay · average + (1 − decay) · weights at each update, on one bank and on several', async () => {
    for (const maxBankBytes of [Infinity, 1024 * 4]) {
      await withAverage(
        0.9,
        async (store, average) => {
          update(store, average, 1, 12);
          const state = await average.state();
          expect([...state.keys()]).toEqual([...store.parameters.keys()]);
          [...store.parameters].forEach(([name, { array }], index) => {
            const expected = Float64Array.from(weightsAt(0, array.size, index));
            for (let step = 1; step <= 12; step++) {
              const weights = weightsAt(step, array.size, index);
              expected.forEach((value, i) => (expected[i] = 0.9 * value + 0.1 * weights[i]!));
            }
            expect(relativeError(state.get(name)!, expected), name).toBeLessThan(1e-6);
          });
        },
        maxBankBytes,
      );
    }
  });

  it('exchanges averaged and trained weights for evaluation, and back to the bit', () =>
    withAverage(0.75, async (store, average) => {
      update(store, average, 1, 3);
      const averaged = await average.state();
      const trained = await store.get('head.weight').read();
      average.swap();
      expect(average.isSwapped).toBe(true);
      expect(await store.get('head.weight').read()).toEqual(averaged.get('head.weight'));
      expect(await store.get('q').read()).toEqual(averaged.get('q'));
      average.swap();
      expect(average.isSwapped).toBe(false);
      expect(await store.get('head.weight').read()).toEqual(trained);
      expect(await average.state()).toEqual(averaged);
    }));

  it('does nothing but swap back while the averaged weights are in place of the trained ones', () =>
    withAverage(0.5, async (_, average) => {
      const state = await average.state();
      average.swap();
      for (const action of ['initialise', 'update', 'release'] as const) {
        expect(() => average[action](), action).toThrow(`${action}: the averaged weights are swapped in`);
      }
      expect(() => average.restore(state)).toThrow('swap back first');
      await expect(average.state()).rejects.toThrow('swap back first');
      average.swap();
    }));

  it('continues from a saved state bit for bit, also on other banks', async () => {
    let straight: Map<string, Float32Array> | undefined;
    let saved: Map<string, Float32Array> | undefined;
    await withAverage(0.99, async (store, average) => {
      update(store, average, 1, 4);
      saved = await average.state();
      update(store, average, 5, 9);
      straight = await average.state();
    });
    await withAverage(
      0.99,
      async (store, average) => {
        average.restore(saved!);
        update(store, average, 5, 9);
        expect(await average.state()).toEqual(straight);
      },
      1024 * 4,
    );
  });

  it('starts anew from the weights when asked to', () =>
    withAverage(0.9, async (store, average) => {
      update(store, average, 1, 2);
      average.initialise();
      expect((await average.state()).get('v')).toEqual(await store.get('v').read());
    }));

  it('refuses a state that does not fit, and changes nothing', () =>
    withAverage(0.9, async (store, average) => {
      update(store, average, 1, 2);
      const state = await average.state();
      const without = new Map([...state].filter(([name]) => name !== 'q'));
      expect(() => average.restore(without)).toThrow('no fitting values for parameter "q" of 3 elements');
      expect(() => average.restore(new Map(state).set('v', new Float32Array(4)))).toThrow('parameter "v"');
      expect(() => average.restore(new Map(state).set('other', new Float32Array(4)))).toThrow(
        'there is no parameter "other"',
      );
      expect(await average.state()).toEqual(state);
    }));

  it('refuses a decay that is not a share, before it takes memory', () =>
    withAverage(0, (store) => {
      const { liveBytes } = engine().runtime.pool;
      for (const decay of [1, -0.1, Number.NaN]) {
        expect(() => new ExponentialMovingAverage(store, { decay })).toThrow(`decay is ${decay}`);
      }
      expect(engine().runtime.pool.liveBytes).toBe(liveBytes);
    }));
});
