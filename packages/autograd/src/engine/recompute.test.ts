import { describe, expect, it } from 'vitest';
import { add } from '../ops/arithmetic.js';
import { gelu } from '../ops/gelu.js';
import { layerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { join, reshape, split } from '../ops/views.js';
import { ParameterStore } from '../parameters/parameter-store.js';
import { useEngine, values } from '../testing/test-engine.js';
import { RecordedStep, type StepTensors } from './recorded-step.js';
import type { Tensor } from './tensor.js';

const ROWS = 16;
const COLUMNS = 64;
const SIZE = ROWS * COLUMNS;
const BYTES = SIZE * 4;

describe('a recomputed stage', () => {
  const engine = useEngine();
  const runtime = () => engine().runtime;
  const pool = () => runtime().pool;
  const ones = new Float32Array(SIZE).fill(1);
  const data = (seed = 1) => Float32Array.from(values(SIZE, seed));
  const leaf = (seed = 1) =>
    engine().tensor(data(seed), [ROWS, COLUMNS], { requiresGrad: true, name: `leaf ${seed}` });

  /** Runs stages one after the other, the plain way or again in the backward pass. */
  type Run = (inputs: Tensor[], body: (...inputs: Tensor[]) => Tensor) => Tensor;
  const plain: Run = (inputs, body) => body(...inputs);
  const again: Run = (inputs, body) => engine().stage(inputs, body, { recompute: true });

  function makeStore(): ParameterStore {
    const store = new ParameterStore(engine(), [
      { name: 'weight', shape: [COLUMNS, COLUMNS] },
      { name: 'bias', shape: [COLUMNS] },
      { name: 'norm.weight', shape: [COLUMNS] },
      { name: 'norm.bias', shape: [COLUMNS] },
      { name: 'unused', shape: [COLUMNS] },
    ]);
    let seed = 20;
    for (const parameter of store.parameters.values()) {
      const scale = parameter.array.size > COLUMNS ? 0.1 : 1;
      const numbers = values(parameter.array.size, ++seed);
      parameter.write(Float32Array.from(numbers, (value) => scale * value));
    }
    return store;
  }

  /** A residual stage with views of its input, parameters, and a branch that nothing uses. */
  const stage = (store: ParameterStore) => (x: Tensor) => {
    const get = (name: string) => store.get(name);
    const normed = layerNorm(x, get('norm.weight'), get('norm.bias'));
    const mixed = linear(gelu(normed), get('weight'), { bias: get('bias'), residual: x });
    gelu(mixed);
    const [top, bottom] = split(mixed, 0, [ROWS / 2, ROWS / 2]) as [Tensor, Tensor];
    const [left, right] = split(reshape(x, [ROWS, COLUMNS]), 0, [ROWS / 2, ROWS / 2]) as [Tensor, Tensor];
    const whole = engine().empty([ROWS, COLUMNS]);
    const half = whole.slice(0, 0, ROWS / 2);
    const other = whole.slice(0, ROWS / 2, ROWS);
    return join(whole, [
      linear(top, get('weight'), { residual: right, into: half }),
      linear(bottom, get('weight'), { residual: left, into: other }),
    ]);
  };

  /** Every gradient and the result of three stages on the same parameters. */
  async function threeStages(store: ParameterStore, run: Run): Promise<Float32Array[]> {
    return engine().step(async () => {
      const x = leaf();
      const first = run([x], stage(store));
      const second = run([first], stage(store));
      // A tensor that two stages and the tape around them use.
      const third = add(
        run([first, second], (a, b) => add(gelu(a), layerNormed(store, b))),
        first,
      );
      const result = await third.read();
      const gradients = third.backward({ cotangent: ones });
      const seen = [result, (await gradients.read(x))!];
      for (const parameter of store.parameters.values()) {
        if (parameter.hasGradient) seen.push(await runtime().read(parameter.gradient));
      }
      return seen;
    });
  }
  const layerNormed = (store: ParameterStore, x: Tensor) =>
    layerNorm(x, store.get('norm.weight'), store.get('norm.bias'));

  it('gives the bits of the tape that keeps everything, added to gradients that there are, and leaves nothing', async () => {
    const { liveBytes } = pool();
    const store = makeStore();
    const seen: Float32Array[][] = [];
    for (const run of [plain, again]) {
      store.zeroGradients();
      seen.push([...(await threeStages(store, run)), ...(await threeStages(store, run))]);
    }
    const [expected, actual] = seen as [Float32Array[], Float32Array[]];
    expect(expected).toHaveLength(2 * (2 + 4));
    expect(actual).toEqual(expected);
    expect(expected.every((array) => array.every(Number.isFinite))).toBe(true);
    expect(expected[8], 'the second pass adds to the first').not.toEqual(expected[2]);
    expect(store.get('unused').hasGradient).toBe(false);
    store.release();
    expect(pool().liveBytes).toBe(liveBytes);
  });

  it('runs stages inside stages again', async () => {
    const store = makeStore();
    const nested: Run = (inputs, body) => again(inputs, (...outer) => again(outer, body));
    const expected = await threeStages(store, plain);
    store.zeroGradients();
    expect(await threeStages(store, nested)).toEqual(expected);
    store.release();
  });

  it('is recorded and replayed to the same bits, accumulating too', async () => {
    const store = makeStore();
    const step = (run: Run) =>
      new RecordedStep(engine(), ({ x }: StepTensors<'x'>) => {
        let y = x;
        for (let i = 0; i < 3; i++) y = run([y], stage(store));
        const loss = linear(reshape(y, [1, SIZE]), reshape(x, [1, SIZE]));
        loss.backward();
        return loss.array;
      });
    const seen: Float32Array[][] = [];
    for (const run of [plain, again]) {
      const recorded = step(run);
      const values: Float32Array[] = [];
      for (let i = 0; i < 8; i++) {
        if (i % 2 === 0) store.zeroGradients();
        const loss = recorded.run({ x: { data: data(i), shape: [ROWS, COLUMNS] } });
        values.push(await runtime().read(loss), await runtime().read(store.banks[0]!.gradients));
      }
      expect(recorded.recordings, 'one that overwrites gradients, one that adds to them').toBe(2);
      recorded.release();
      seen.push(values);
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(new Set(seen[0]!.map((array) => array.join())).size).toBe(16);
    store.release();
  });

  it('keeps inputs and results of stages only, and one stage at a time going back', () =>
    engine().step(() => {
      const [stages, length] = [6, 5];
      const chain = (x: Tensor) => {
        let y = x;
        for (let i = 0; i < length; i++) y = gelu(y);
        return y;
      };
      const measure = (run: Run) => {
        const start = pool().liveBytes;
        let x = leaf();
        for (let i = 0; i < stages; i++) x = run([x], chain);
        const forward = pool().liveBytes - start;
        pool().resetPeak();
        x.backward({ cotangent: ones });
        return { forward, peak: pool().peakBytes - start };
      };
      expect(measure(plain).forward).toBe((1 + stages * length) * BYTES);
      const { forward, peak } = measure(again);
      expect(forward).toBe((1 + stages) * BYTES);
      // One stage, and the gradients on either side of an operation of it.
      expect(peak).toBe(forward + (length + 2) * BYTES);
    }));

  it('runs a stage once where no gradient is wanted, or none reaches it', () =>
    engine().step(async () => {
      let runs = 0;
      const counted = (x: Tensor) => {
        runs++;
        return gelu(gelu(x));
      };
      const x = leaf();
      const before = pool().liveBytes;
      const y = engine().noGrad(() => again([x], counted));
      expect([runs, y.requiresGrad, pool().liveBytes - before]).toEqual([1, false, BYTES]);
      again([x], counted);
      const gradients = gelu(x).backward({ cotangent: ones });
      expect(runs).toBe(2);
      const taken = again([x], counted);
      expect(await taken.read()).toEqual(await y.read());
      taken.backward({ cotangent: ones });
      expect(runs).toBe(4);
      expect(gradients.has(x)).toBe(true);
    }));

  it('returns to the memory it had when the second run fails', async () => {
    const { liveBytes } = pool();
    let runs = 0;
    const failing = engine().step(() => {
      const y = again([leaf()], (x) => {
        const half = gelu(x);
        if (++runs === 2) throw new Error('wrong turn');
        return gelu(half);
      });
      y.backward({ cotangent: ones });
    });
    await expect(failing).rejects.toThrow('wrong turn');
    expect(pool().liveBytes).toBe(liveBytes);
    expect(engine().gradEnabled).toBe(true);
  });
});
