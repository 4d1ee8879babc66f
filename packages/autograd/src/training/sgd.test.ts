import { describe, expect, it } from 'vitest';
import { relativeError } from '../engine/gradcheck.js';
import { ParameterStore } from '../parameters/parameter-store.js';
import { useEngine, values } from '../testing/test-engine.js';
import { SGD } from './sgd.js';

const specs = [
  { name: 'weight', shape: [20, 30] },
  { name: 'bias', shape: [20] },
];
const gradientOf = (name: string, step: number, size: number) => values(size, 10 * step + name.length);

/** The formulas of `SGD` in float64. */
function expected(
  name: string,
  size: number,
  steps: number,
  momentum: number,
  nesterov: boolean,
): Float64Array {
  const [rate, decay] = name === 'weight' ? [0.05, 0.1] : [0.1, 0];
  const p = Float64Array.from(values(size, name.length));
  const v = new Float64Array(size);
  for (let step = 0; step < steps; step++) {
    const g = gradientOf(name, step, size);
    for (let i = 0; i < size; i++) {
      const d = 0.5 * g[i]! + decay * p[i]!;
      v[i] = momentum * v[i]! + d;
      p[i]! -= rate * (nesterov ? d + momentum * v[i]! : v[i]!);
    }
  }
  return p;
}

describe('SGD', () => {
  const engine = useEngine();

  async function run(
    options: { readonly momentum?: number; readonly nesterov?: boolean },
    body: (store: ParameterStore, take: (from: number, to: number) => void, sgd: SGD) => Promise<void>,
  ): Promise<void> {
    await engine().step(async () => {
      const store = new ParameterStore(engine(), specs);
      const groups = [{ parameters: [store.get('weight')], learningRateScale: 0.5 }];
      const sgd = new SGD(store, { weightDecay: 0.1, groups, ...options });
      for (const [name, { array }] of store.parameters) {
        engine().runtime.write(array, Float32Array.from(values(array.size, name.length)));
      }
      const take = (from: number, to: number) => {
        for (let step = from; step < to; step++) {
          for (const [name, parameter] of store.parameters) {
            const gradient = gradientOf(name, step, parameter.array.size);
            engine().runtime.write(parameter.gradientTarget().array, Float32Array.from(gradient));
          }
          sgd.step({ learningRate: 0.1, gradientScale: 0.5 });
        }
      };
      try {
        await body(store, take, sgd);
      } finally {
        sgd.release();
        store.release();
      }
    });
  }

  it.each([
    { momentum: 0, nesterov: false },
    { momentum: 0.9, nesterov: false },
    { momentum: 0.9, nesterov: true },
  ])('follows its formulas with $momentum, nesterov: $nesterov', (options) =>
    run(options, async (store, take) => {
      take(0, 4);
      for (const [name, { array }] of store.parameters) {
        const wanted = expected(name, array.size, 4, options.momentum, options.nesterov);
        expect(relativeError(await engine().runtime.read(array), wanted), name).toBeLessThan(1e-6);
      }
    }),
  );

  it('goes on from a restored state', async () => {
    let state: Map<string, Float32Array> | undefined;
    let weights: Float32Array | undefined;
    await run({ momentum: 0.9 }, async (store, take, sgd) => {
      take(0, 2);
      state = await sgd.state();
      weights = await store.get('weight').read();
      take(2, 4);
      const wanted = await store.get('weight').read();
      sgd.restore(state);
      store.get('weight').write(weights);
      take(2, 4);
      expect(await store.get('weight').read()).toEqual(wanted);
    });
  });

  it('refuses a state that does not fit, and changes nothing', () =>
    run({ momentum: 0.9 }, async (_store, take, sgd) => {
      take(0, 1);
      const state = await sgd.state();
      const without = new Map([...state].filter(([name]) => name !== 'bias'));
      expect(() => sgd.restore(without)).toThrow('no fitting velocity for parameter "bias" of 20 elements');
      // Shorter than the parameter, and reaching into the padding behind it.
      for (const size of [599, 700]) {
        const other = new Map(state).set('weight', new Float32Array(size));
        expect(() => sgd.restore(other)).toThrow('parameter "weight" of 600 elements');
      }
      expect(() => sgd.restore(new Map(state).set('other', new Float32Array(20)))).toThrow(
        'there is no parameter "other"',
      );
      expect(await sgd.state()).toEqual(state);
    }));

  it('refuses a momentum of 1, and a learning rate below 0', () =>
    engine().step(() => {
      const store = new ParameterStore(engine(), specs);
      expect(() => new SGD(store, { momentum: 1 })).toThrow(/momentum is 1/);
      const sgd = new SGD(store);
      expect(() => sgd.step({ learningRate: -1 })).toThrow(/learningRate is -1/);
      sgd.release();
      store.release();
    }));
});
