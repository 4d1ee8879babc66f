import { describe, expect, it } from 'vitest';
import { add } from '../ops/arithmetic.js';
import { linear } from '../ops/linear.js';
import { meanRows } from '../ops/mean-rows.js';
import { reshape } from '../ops/views.js';
import { useEngine, values } from '../testing/test-engine.js';
import { PARAMETER_BLOCK, ParameterStore, type PackSpec, type ParameterSpec } from './parameter-store.js';

const qkvBias: PackSpec = {
  pack: 'bias',
  shape: [6],
  parts: [{ name: 'q.bias', shape: [2] }, { gap: 2 }, { name: 'v.bias', shape: [2] }],
};
const qkvWeight: PackSpec = {
  pack: 'weight',
  shape: [6, 3],
  parts: [
    { name: 'q.weight', shape: [2, 3] },
    { name: 'kv.weight', shape: [4, 3] },
  ],
};

describe('ParameterStore', () => {
  const engine = useEngine();
  const withStore = <T>(
    specs: readonly (ParameterSpec | PackSpec)[],
    body: (store: ParameterStore) => T | Promise<T>,
    maxBankBytes?: number,
  ) =>
    engine().step(async () => {
      const store = new ParameterStore(engine(), specs, maxBankBytes === undefined ? {} : { maxBankBytes });
      try {
        return await body(store);
      } finally {
        store.release();
      }
    });
  const input = (shape: readonly number[], seed = 1) =>
    engine().tensor(
      Float32Array.from(
        values(
          shape.reduce((a, b) => a * b, 1),
          seed,
        ),
      ),
      shape,
    );

  it('starts at zero, keeps what is written, and returns its memory', async () => {
    const { liveBytes } = engine().runtime.pool;
    await withStore([{ name: 'a', shape: [2, 3] }, qkvWeight, qkvBias], async (store) => {
      expect([...store.parameters.keys()]).toEqual(['a', 'q.weight', 'kv.weight', 'q.bias', 'v.bias']);
      expect(store.count).toBe(6 + 18 + 4);
      expect(await store.get('a').read()).toEqual(new Float32Array(6));
      store.get('kv.weight').write(Float32Array.from(values(12)));
      store.get('a').write(new Float32Array(6).fill(2));
      expect([...(await store.pack('weight').read())]).toEqual([
        ...new Float32Array(6),
        ...Float32Array.from(values(12)),
      ]);
      expect(store.placeOf('kv.weight')).toEqual({ bank: 0, offset: PARAMETER_BLOCK + 6 });
      const bank = await engine().runtime.read(store.banks[0]!.values);
      expect(bank[PARAMETER_BLOCK + 6]).toBe(Math.fround(values(12)[0]!));
      expect(() => store.get('b')).toThrow('there is no parameter "b"');
      expect(() => store.pack('a')).toThrow('there is no parameter pack "a"');
      expect(() => store.placeOf('weight')).toThrow('there is no parameter "weight"');
    });
    expect(engine().runtime.pool.liveBytes).toBe(liveBytes);
  });

  it('refuses contradictory declarations before it takes memory', () => {
    const { liveBytes } = engine().runtime.pool;
    const store = (...specs: (ParameterSpec | PackSpec)[]) => new ParameterStore(engine(), specs);
    const a = { name: 'a', shape: [2] };
    expect(() => store(a, a)).toThrow('parameter "a" is declared twice');
    expect(() => store({ name: 'q.bias', shape: [1] }, qkvBias)).toThrow('"q.bias" is declared twice');
    expect(() => store(qkvBias, { ...qkvBias, parts: [] })).toThrow('pack "bias" is declared twice');
    expect(() => store({ ...qkvBias, shape: [7] })).toThrow(
      'parts of pack "bias" have 6 elements, its shape 7',
    );
    expect(() => store({ name: 'a', shape: [2, 0] })).toThrow('"a" has shape [2, 0]');
    expect(() => new ParameterStore(engine(), [{ name: 'a', shape: [300] }], { maxBankBytes: 1024 })).toThrow(
      'parameter a needs 512 elements in one bank, which may have 256',
    );
    expect(engine().runtime.pool.liveBytes).toBe(liveBytes);
  });

  it('opens another bank where one is full', () =>
    withStore(
      [
        { name: 'a', shape: [300] },
        { name: 'b', shape: [200] },
        { name: 'c', shape: [400] },
        { name: 'd', shape: [10] },
      ],
      async (store) => {
        expect(store.banks.map(({ size }) => size)).toEqual([768, 768]);
        expect(['a', 'b', 'c', 'd'].map((name) => store.placeOf(name))).toEqual([
          { bank: 0, offset: 0 },
          { bank: 0, offset: 512 },
          { bank: 1, offset: 0 },
          { bank: 1, offset: 512 },
        ]);
        store.get('c').write(Float32Array.from(values(400)));
        expect(await store.get('c').read()).toEqual(Float32Array.from(values(400)));
        expect(await store.get('d').read()).toEqual(new Float32Array(10));
        expect(store.createLike('moments').map((array) => array.size)).toEqual([768, 768]);
      },
      768 * 4,
    ).then(() => engine().runtime.pool.trim()));

  it('adds gradients up over backward passes until they are used', () =>
    withStore([{ name: 'w', shape: [2, 3] }], async (store) => {
      const w = store.get('w');
      const run = async (seed: number) => {
        const y = linear(input([4, 3], seed), w);
        const gradients = y.backward({ cotangent: Float32Array.from(values(8, seed + 1)) });
        return gradients.read(w);
      };
      const first = (await run(1))!;
      store.zeroGradients();
      const second = (await run(2))!;
      expect(await run(1)).toEqual(second.map((value, i) => value + first[i]!));
      store.zeroGradients();
      expect(w.hasGradient).toBe(false);
      expect(await run(1), 'overwritten, not added to').toEqual(first);
    }));

  it('gives parameters that nothing reached a gradient of zero instead of a stale one', () =>
    withStore(
      [
        { name: 'w', shape: [2, 3] },
        { name: 'v', shape: [2, 3] },
      ],
      async (store) => {
        for (const name of ['w', 'v']) {
          linear(input([4, 3]), store.get(name)).backward({ cotangent: new Float32Array(8).fill(1) });
        }
        store.zeroGradients();
        linear(input([4, 3]), store.get('w')).backward({ cotangent: new Float32Array(8).fill(1) });
        store.completeGradients();
        const gradients = await engine().runtime.read(store.banks[0]!.gradients);
        expect(gradients.slice(0, 6).every((value) => value !== 0)).toBe(true);
        expect(gradients.slice(PARAMETER_BLOCK)).toEqual(new Float32Array(PARAMETER_BLOCK));
      },
    ));

  it('sums up the gradients of a parameter that is used at several places', () =>
    withStore([{ name: 'w', shape: [3, 3] }], async (store) => {
      const w = store.get('w');
      w.write(Float32Array.from(values(9)));
      const x = input([1, 3], 4);
      // y = x·Wᵀ + x·Wᵀ + x·Wᵀ has three times the gradient of one.
      const once = (await linear(x, w)
        .backward({ cotangent: Float32Array.of(1, 2, 3) })
        .read(w))!;
      store.zeroGradients();
      const y = add(add(linear(x, w), linear(x, w)), linear(x, w));
      const thrice = (await y.backward({ cotangent: Float32Array.of(1, 2, 3) }).read(w))!;
      thrice.forEach((value, i) => expect(value).toBeCloseTo(3 * once[i]!, 5));
    }));
});

describe('packs', () => {
  const engine = useEngine();
  const withPacks = (body: (store: ParameterStore) => Promise<void>) =>
    engine().step(async () => {
      const store = new ParameterStore(engine(), [qkvWeight, qkvBias]);
      try {
        await body(store);
      } finally {
        store.release();
      }
    });
  const x = () => engine().tensor(Float32Array.from(values(12)), [4, 3]);

  it('are one array to a kernel, and their parts have its gradient', () =>
    withPacks(async (store) => {
      store.get('q.weight').write(Float32Array.from(values(6, 2)));
      store.get('kv.weight').write(Float32Array.from(values(12, 3)));
      store.get('q.bias').write(Float32Array.of(1, 2));
      store.get('v.bias').write(Float32Array.of(3, 4));
      const cotangent = Float32Array.from(values(24, 5));
      const y = linear(x(), store.pack('weight'), { bias: store.pack('bias') });
      const gradients = y.backward({ cotangent });
      const columnSum = (column: number) =>
        [0, 1, 2, 3].reduce((sum, row) => sum + cotangent[row * 6 + column]!, 0);
      (await gradients.read(store.get('v.bias')))!.forEach((value, i) =>
        expect(value).toBeCloseTo(columnSum(4 + i), 5),
      );
      const whole = (await gradients.read(store.pack('weight')))!;
      expect(await gradients.read(store.get('kv.weight'))).toEqual(whole.slice(6));
      const bias = await engine().runtime.read(store.pack('bias').gradient);
      expect([...bias.slice(2, 4)], 'the gap').toEqual([0, 0]);
    }));

  it('can be used whole and in parts over several passes, when all parts are', () =>
    withPacks(async (store) => {
      const whole = store.pack('weight');
      const run = (...names: string[]) => {
        for (const name of names) {
          const weight = name === 'weight' ? whole : store.get(name);
          const y = linear(x(), weight);
          y.backward({ cotangent: new Float32Array(y.array.size).fill(1) });
        }
      };
      run('weight');
      const once = await engine().runtime.read(whole.gradient);
      run('q.weight', 'kv.weight');
      expect(await engine().runtime.read(whole.gradient)).toEqual(once.map((value) => 2 * value));
      store.zeroGradients();
      expect(whole.hasGradient).toBe(false);
      run('kv.weight');
      expect(() => run('weight')).toThrow('the parts of weight were used both together and apart');
    }));

  it('with gaps take no gradient as a whole, which would fill the gaps', () =>
    withPacks(async (store) => {
      const bias = reshape(store.pack('bias'), [1, 1, 6]);
      const y = meanRows(bias);
      expect(() => y.backward({ cotangent: new Float32Array(6).fill(1) })).toThrow('pack bias has gaps');
      await engine().runtime.synchronize();
    }));
});
