import { roundedToF16 } from '@tubelet/kernels/lab';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StepTensors } from '../engine/recorded-step.js';
import { layerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { useEngine, values } from '../testing/test-engine.js';
import { AdamW } from '../training/adamw.js';
import { ExponentialMovingAverage } from '../training/ema.js';
import { LossScale } from '../training/loss-scale.js';
import { SGD } from '../training/sgd.js';
import { ParameterStore, type PackSpec, type ParameterSpec } from './parameter-store.js';
import { loadStateDict, readStateDict } from './state-dict.js';

const WIDTH = 8;
const specs: readonly (ParameterSpec | PackSpec)[] = [
  { name: 'norm.weight', shape: [WIDTH] },
  { name: 'norm.bias', shape: [WIDTH] },
  {
    pack: 'qkv',
    shape: [3 * WIDTH, WIDTH],
    parts: [
      { name: 'q', shape: [WIDTH, WIDTH] },
      { name: 'kv', shape: [2 * WIDTH, WIDTH] },
    ],
  },
  { name: 'out', shape: [20, 3 * WIDTH] },
];
/** The last parameter then has a bank of its own. */
const TWO_BANKS = { maxBankBytes: 4 * 1024 };

describe('the twin of weights in f16', () => {
  const engine = useEngine();
  const runtime = () => engine().runtime;
  const lacksHalf = () => !runtime().hasFeature('shader-f16');
  beforeEach(() => void (runtime().precision = 'f16'));
  afterEach(() => void (runtime().precision = 'f32'));

  /** Bytes in use once what the last step returned is given back. */
  const settledBytes = async () => {
    await engine().step(() => undefined);
    return runtime().pool.liveBytes;
  };

  async function withStore(
    body: (store: ParameterStore) => Promise<void>,
    options: { readonly maxBankBytes?: number } = {},
  ): Promise<void> {
    const liveBytes = await settledBytes();
    const store = new ParameterStore(engine(), specs, options);
    writeWeights(store, 0);
    try {
      await body(store);
    } finally {
      store.release();
    }
    expect(await settledBytes(), 'all memory is back').toBe(liveBytes);
  }

  function writeWeights(store: ParameterStore, seed: number): void {
    [...store.parameters.values()].forEach((parameter, i) =>
      parameter.write(Float32Array.from(values(parameter.array.size, 10 * seed + i))),
    );
  }

  const input = { data: Float32Array.from(values(5 * WIDTH, 3)), shape: [5, WIDTH] };

  const forward = (store: ParameterStore, { x }: StepTensors<'x'>) => {
    const half = layerNorm(x, store.get('norm.weight'), store.get('norm.bias'), { mayBeHalf: true });
    return linear(linear(half, store.pack('qkv')), store.get('out'));
  };

  /** Forward and backward, with a gradient of f16 that is finite or not. */
  const passes = (store: ParameterStore, peak = 1) =>
    engine().step(
      (inputs) => {
        forward(store, inputs).backward({ cotangent: Float32Array.from(values(5 * 20, 4), (v) => peak * v) });
      },
      { inputs: { x: input } },
    );

  const banksOf = async (arrays: ParameterStore['twin']['banks']) => {
    const all: number[] = [];
    for (const array of arrays) all.push(...(await runtime().read(array)));
    return all;
  };
  const rounded = async (store: ParameterStore) => [
    ...roundedToF16(Float64Array.from(await banksOf(store.banks.map(({ values }) => values)))),
  ];

  /** Whether the twin is that of the values as they are, without anybody who reads it; after one who does it must be. */
  async function isTrue(store: ParameterStore): Promise<boolean> {
    const wanted = await rounded(store);
    const before = await banksOf(store.twin.banks);
    store.get('out').half();
    expect(await banksOf(store.twin.banks)).toEqual(wanted);
    return before.every((value, i) => value === wanted[i]);
  }

  it.for([{}, TWO_BANKS])(
    'is the rounded weights to the bit after steps and skipped ones, by AdamW alone: %o',
    async (options, { skip }) => {
      skip(lacksHalf(), 'this device has no f16');
      await withStore(async (store) => {
        expect(store.banks).toHaveLength('maxBankBytes' in options ? 2 : 1);
        const lossScale = new LossScale(engine(), { initialScale: 1 });
        const optimiser = new AdamW(store, { weightDecay: 0.1, lossScale });
        await passes(store);
        expect(store.twin.banks.map(({ size }) => size)).toEqual(store.banks.map(({ size }) => size));
        const seen: unknown[] = [];
        for (const [i, peak] of [1, 1, 1e30, 1].entries()) {
          if (i > 0) await passes(store, peak);
          optimiser.step({ learningRate: 0.01 });
          expect(await isTrue(store), `step ${i}`).toBe(true);
          seen.push(await rounded(store));
        }
        expect((await lossScale.read()).skippedSteps).toBe(1);
        expect(seen[2], 'skipped').toEqual(seen[1]);
        expect(seen[3], 'taken').not.toEqual(seen[2]);
        optimiser.release();
        lossScale.release();
      }, options);
    },
  );

  it.for([
    ['written', (store: ParameterStore) => writeWeights(store, 7)],
    [
      'loaded',
      async (store: ParameterStore) => {
        const state = await readStateDict(store);
        for (const tensor of state.values()) (tensor.data as Float32Array).reverse();
        loadStateDict(store, state);
      },
    ],
    [
      'stepped by another optimiser',
      (store: ParameterStore) => {
        const optimiser = new SGD(store, { learningRate: 0.1 });
        optimiser.step();
        optimiser.release();
      },
    ],
  ] as const)('is rounded anew where weights were %s', async ([, change], { skip }) => {
    skip(lacksHalf(), 'this device has no f16');
    await withStore(async (store) => {
      await passes(store);
      await change(store);
      expect(await isTrue(store)).toBe(false);
      expect(await isTrue(store), 'and not again').toBe(true);
    });
  });

  it('follows an average that is swapped in and out', async ({ skip }) => {
    skip(lacksHalf(), 'this device has no f16');
    await withStore(async (store) => {
      await passes(store);
      const average = new ExponentialMovingAverage(store, { decay: 0.5 });
      writeWeights(store, 2);
      await isTrue(store);
      average.update();
      expect(await isTrue(store), 'an update leaves weights as they are').toBe(true);
      for (let i = 0; i < 2; i++) {
        average.swap();
        expect(await isTrue(store)).toBe(false);
      }
      average.release();
    });
  });

  it('is up to date where a recorded step is replayed', async ({ skip }) => {
    skip(lacksHalf(), 'this device has no f16');
    await withStore(async (store) => {
      const body = (inputs: StepTensors<'x'>) => forward(store, inputs);
      const y = async (record: boolean) =>
        (await engine().step(body, { inputs: { x: input }, record })).read();
      for (let i = 0; i < 4; i++) {
        writeWeights(store, i);
        const replayed = await y(true);
        expect(replayed).toEqual(await y(false));
      }
      expect(engine().recordings).toBe(1);
      engine().release(body);
    });
  });

  it('is not there where nothing is of f16', () =>
    withStore(async (store) => {
      runtime().precision = 'f32';
      await passes(store);
      expect(store.twin.banks).toEqual([]);
    }));
});
