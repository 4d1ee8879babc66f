import { describe, expect, it } from 'vitest';
import { relativeError } from '../engine/gradcheck.js';
import { ParameterStore, type PackSpec, type ParameterSpec } from '../parameters/parameter-store.js';
import { useEngine, values } from '../testing/test-engine.js';
import { AdamW, type Moments } from './adamw.js';

const specs: readonly (ParameterSpec | PackSpec)[] = [
  { name: 'patch.weight', shape: [20, 30] },
  { name: 'patch.bias', shape: [20] },
  { name: 'head.weight', shape: [7, 20] },
  { pack: 'qkv', shape: [9], parts: [{ name: 'q', shape: [3] }, { gap: 3 }, { name: 'v', shape: [3] }] },
];
const weightDecay = 0.05;
const groups = [
  { names: ['patch.weight', 'patch.bias', 'q', 'v'], learningRateScale: 0.25 },
  { names: ['head.weight'], weightDecay: 0.1 },
];
const betas = [0.9, 0.95] as const;
const learningRate = (step: number) => 1e-3 * (1 + Math.sin(step));

describe('AdamW', () => {
  const engine = useEngine();

  /** A store and its optimiser, at the same start each time; `maxBankBytes` decides over the number of banks. */
  async function withOptimiser(
    body: (store: ParameterStore, optimiser: AdamW) => void | Promise<void>,
    maxBankBytes?: number,
  ): Promise<void> {
    await engine().step(async () => {
      const store = new ParameterStore(engine(), specs, maxBankBytes === undefined ? {} : { maxBankBytes });
      const ofStore = groups.map(({ names, ...group }) => ({
        parameters: names.map((name) => store.get(name)),
        ...group,
      }));
      const optimiser = new AdamW(store, { weightDecay, groups: ofStore, betas });
      [...store.parameters.values()].forEach((parameter, i) =>
        parameter.write(Float32Array.from(values(parameter.array.size, i))),
      );
      try {
        await body(store, optimiser);
      } finally {
        optimiser.release();
        store.release();
      }
    });
  }

  /** The gradient of one parameter at one step: another one each time, and none at all for `skipped`. */
  const gradientOf = (index: number, size: number, step: number) =>
    Float32Array.from(values(size, 10 * step + index), (value) => 0.1 * value);

  function setGradients(store: ParameterStore, step: number, skipped: readonly string[] = []): void {
    [...store.parameters].forEach(([name, parameter], i) => {
      if (skipped.includes(name)) return;
      engine().runtime.write(parameter.gradientTarget().array, gradientOf(i, parameter.array.size, step));
    });
  }

  function run(store: ParameterStore, optimiser: AdamW, from: number, to: number, skipped?: string[]): void {
    for (let step = from; step < to; step++) {
      setGradients(store, step, skipped);
      optimiser.step({ learningRate: learningRate(step) });
    }
  }

  /** Decoupled weight decay and bias-corrected moments in float64, one parameter at a time. */
  function plainAdamW(
    steps: number,
    skipped: readonly string[] = [],
    gradientScale = 1,
  ): Map<string, Float64Array> {
    const result = new Map<string, Float64Array>();
    let index = 0;
    for (const spec of specs) {
      for (const part of 'pack' in spec ? spec.parts : [spec]) {
        if ('gap' in part) continue;
        const size = part.shape.reduce((a, b) => a * b, 1);
        const group = groups.find(({ names }) => names.includes(part.name))!;
        const decay = group.weightDecay ?? (part.shape.length > 1 ? weightDecay : 0);
        const p = Float64Array.from(Float32Array.from(values(size, index)));
        const m = new Float64Array(size);
        const v = new Float64Array(size);
        for (let step = 0; step < steps; step++) {
          const gradient = skipped.includes(part.name)
            ? new Float32Array(size)
            : gradientOf(index, size, step);
          const rate = learningRate(step) * (group.learningRateScale ?? 1);
          for (let i = 0; i < size; i++) {
            const g = gradient[i]! * gradientScale;
            m[i] = betas[0] * m[i]! + (1 - betas[0]) * g;
            v[i] = betas[1] * v[i]! + (1 - betas[1]) * g * g;
            const mean = m[i]! / (1 - betas[0] ** (step + 1));
            const deviation = Math.sqrt(v[i]! / (1 - betas[1] ** (step + 1)));
            p[i] = p[i]! * (1 - rate * decay) - (rate * mean) / (deviation + 1e-8);
          }
        }
        result.set(part.name, p);
        index++;
      }
    }
    return result;
  }

  async function expectClose(store: ParameterStore, expected: ReadonlyMap<string, Float64Array>) {
    for (const [name, parameter] of store.parameters) {
      expect(relativeError(await parameter.read(), expected.get(name)!), name).toBeLessThan(1e-6);
    }
  }

  it('agrees with float64 after 30 steps of all groups, on one bank and on several', async () => {
    const bits: Float32Array[] = [];
    for (const maxBankBytes of [undefined, 1024 * 4, 768 * 4]) {
      await withOptimiser(async (store, optimiser) => {
        expect(store.banks.length).toBe(maxBankBytes === undefined ? 1 : 2);
        run(store, optimiser, 0, 30);
        expect(optimiser.stepCount).toBe(30);
        await expectClose(store, plainAdamW(30));
        bits.push(await store.get('head.weight').read());
      }, maxBankBytes);
    }
    expect(bits[1], 'where a parameter lies changes no bit').toEqual(bits[0]);
    expect(bits[2]).toEqual(bits[0]);
  });

  it('lets parameters without a gradient decay as if it were zero', () =>
    withOptimiser(async (store, optimiser) => {
      const skipped = ['head.weight', 'v'];
      run(store, optimiser, 0, 5, skipped);
      await expectClose(store, plainAdamW(5, skipped));
      const start = Float32Array.from(values(3, 4));
      expect(await store.get('v').read(), 'nothing decays in its group').toEqual(start);
    }));

  it('scales gradients first', () =>
    withOptimiser(async (store, optimiser) => {
      for (let step = 0; step < 3; step++) {
        setGradients(store, step);
        optimiser.step({ learningRate: learningRate(step), gradientScale: 1 / 64 });
      }
      await expectClose(store, plainAdamW(3, [], 1 / 64));
    }));

  it('keeps gaps and padding exactly zero', () =>
    withOptimiser(async (store, optimiser) => {
      run(store, optimiser, 0, 20);
      const [bank] = store.banks;
      const used = new Uint8Array(bank!.size);
      for (const [name, { array }] of store.parameters) {
        const { offset } = store.placeOf(name);
        used.fill(1, offset, offset + array.size);
      }
      const flat = await engine().runtime.read(bank!.values);
      expect(flat.filter((value, i) => used[i] === 0 && value !== 0)).toEqual(new Float32Array());
    }));

  it('continues from a saved state bit for bit', async () => {
    let straight: Float32Array | undefined;
    await withOptimiser(async (store, optimiser) => {
      run(store, optimiser, 0, 9);
      straight = await engine().runtime.read(store.banks[0]!.values);
    });
    let weights: Map<string, Float32Array> | undefined;
    let state: Map<string, Moments> | undefined;
    await withOptimiser(async (store, optimiser) => {
      run(store, optimiser, 0, 4);
      state = await optimiser.state();
      weights = new Map();
      for (const [name, parameter] of store.parameters) weights.set(name, await parameter.read());
    });
    expect([...state!.keys()]).toEqual(['patch.weight', 'patch.bias', 'head.weight', 'q', 'v']);
    for (const maxBankBytes of [undefined, 768 * 4]) {
      await withOptimiser(async (store, optimiser) => {
        for (const [name, values] of weights!) store.get(name).write(values);
        optimiser.restore(state!, 4);
        run(store, optimiser, 4, 9);
        for (const [name, parameter] of store.parameters) {
          // In one bank, to compare with.
          const offset = { 'patch.weight': 0, 'patch.bias': 768, 'head.weight': 1024, q: 1280, v: 1286 }[
            name
          ]!;
          const expected = straight!.slice(offset, offset + parameter.array.size);
          expect(await parameter.read(), name).toEqual(expected);
        }
      }, maxBankBytes);
    }
  });

  it('refuses a state that does not fit and changes nothing', () =>
    withOptimiser(async (store, optimiser) => {
      run(store, optimiser, 0, 2);
      const state = await optimiser.state();
      const moments = state.get('q')!;
      const changed = (change: (copy: Map<string, Moments>) => void) => {
        const copy = new Map(state);
        change(copy);
        return copy;
      };
      const missing = changed((copy) => copy.delete('q'));
      const short = changed((copy) => copy.set('q', { ...moments, secondMoment: new Float32Array(2) }));
      const unknown = changed((copy) => copy.set('other', moments));
      expect(() => optimiser.restore(missing, 7)).toThrow('no fitting moments for parameter "q"');
      expect(() => optimiser.restore(short, 7)).toThrow('no fitting moments for parameter "q"');
      expect(() => optimiser.restore(unknown, 7)).toThrow('there is no parameter "other"');
      expect(() => optimiser.restore(state, Number.NaN)).toThrow('state is of step NaN');
      expect(optimiser.stepCount).toBe(2);
      expect(await optimiser.state()).toEqual(state);
    }));

  it('has the norm of all gradients over all banks, and counts what is not finite', async () => {
    for (const maxBankBytes of [undefined, 768 * 4]) {
      await withOptimiser(async (store, optimiser) => {
        setGradients(store, 3, ['head.weight']);
        let squares = 0;
        [...store.parameters].forEach(([name, { array }], i) => {
          if (name === 'head.weight') return;
          for (const value of gradientOf(i, array.size, 3)) squares += value * value;
        });
        const [norm, nonFinite] = await engine().runtime.read(optimiser.gradientNorm());
        expect(norm! / Math.sqrt(squares)).toBeCloseTo(1, 6);
        expect(nonFinite).toBe(0);
        engine().runtime.write(store.get('v').gradient, Float32Array.of(Number.NaN, 1, -Infinity));
        expect((await engine().runtime.read(optimiser.gradientNorm()))[1]).toBe(2);
      }, maxBankBytes);
    }
  });

  it('refuses groups that repeat, divide or do not know a parameter, before it takes memory', () =>
    engine().step(() => {
      const store = new ParameterStore(engine(), specs);
      const other = new ParameterStore(engine(), specs);
      const { liveBytes } = engine().runtime.pool;
      const make = (from: ParameterStore, names: readonly string[], learningRateScale = 0.5) => {
        const group = { parameters: names.map((name) => from.get(name)), learningRateScale };
        return new AdamW(store, { groups: [group] });
      };
      expect(() => make(store, ['v', 'q', 'v'])).toThrow('AdamW: parameter "v" is in two groups');
      expect(() => make(other, ['q'])).toThrow('"q" of group 0 is not one of the store\'s');
      expect(() => make(store, ['v'])).toThrow('"v" shares a pack with one of another learning rate');
      expect(() => make(store, ['q', 'v'], Number.NaN)).toThrow('learningRateScale of group 0 is NaN');
      expect(() => new AdamW(store, { weightDecay: -0.1 })).toThrow('AdamW: weightDecay is -0.1');
      expect(engine().runtime.pool.liveBytes).toBe(liveBytes);
      for (const each of [store, other]) each.release();
    }));

  it('refuses a learning rate that is none, and takes no step', () =>
    withOptimiser((_, optimiser) => {
      expect(() => optimiser.step({ learningRate: Number.NaN })).toThrow('AdamW: learningRate is NaN');
      expect(() => optimiser.step({ learningRate: 1, gradientScale: Infinity })).toThrow(
        'gradientScale is Infinity',
      );
      expect(optimiser.stepCount).toBe(0);
    }));
});
