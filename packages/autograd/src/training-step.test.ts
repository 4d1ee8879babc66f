import { describe, expect, it } from 'vitest';
import { AdamW } from './adamw.js';
import type { Engine } from './engine.js';
import { relativeError } from './gradcheck.js';
import { attention } from './ops/attention.js';
import { layerNorm } from './ops/layer-norm.js';
import { linear } from './ops/linear.js';
import { meanSquareError } from './ops/losses.js';
import { mlp } from './ops/mlp.js';
import { copyInto, join, reshape, split } from './ops/views.js';
import { ParameterStore } from './parameters.js';
import { useEngine, values } from './testing/test-engine.js';

const [batch, tokens, columns, hidden] = [2, 5, 8, 12];

/** A transformer of one block with all that training has: packs, views, residuals, an unused parameter. */
class TinyTransformer {
  readonly store: ParameterStore;
  readonly optimiser: AdamW;

  constructor(
    readonly engine: Engine,
    seed: number,
  ) {
    const matrix = (name: string, ...shape: number[]) => ({ name, shape });
    const bias = (name: string) => matrix(name, columns);
    this.store = new ParameterStore(engine, [
      matrix('norm.weight', columns),
      bias('norm.bias'),
      matrix('qkv.weight', 3 * columns, columns),
      { pack: 'qkv.bias', shape: [3 * columns], parts: [bias('q.bias'), { gap: columns }, bias('v.bias')] },
      matrix('proj.weight', columns, columns),
      matrix('fc1.weight', hidden, columns),
      matrix('fc1.bias', hidden),
      matrix('fc2.weight', columns, hidden),
      bias('fc2.bias'),
      bias('unused'),
    ]);
    let index = seed;
    for (const parameter of this.store.parameters.values()) {
      parameter.write(Float32Array.from(values(parameter.array.size, ++index), (value) => 0.3 * value));
    }
    const parameters = [...this.store.parameters.keys()];
    this.optimiser = new AdamW(this.store, { groups: [{ parameters, weightDecay: 0.05 }] });
  }

  /** One step on the batch of this number, in `parts` micro-batches of the same size; its loss. */
  async step(number: number): Promise<number> {
    const { engine, store } = this;
    const get = (name: string) => store.get(name);
    return engine.step(async () => {
      const size = batch * tokens * columns;
      const x = engine.tensor(Float32Array.from(values(size, 100 + number)), [batch, tokens, columns]);
      const target = engine.tensor(Float32Array.from(values(size, 200)), [batch * tokens, columns]);
      const normed = layerNorm(x, get('norm.weight'), get('norm.bias'));
      const qkv = linear(normed, get('qkv.weight'), { bias: store.pack('qkv.bias') });
      const mixed = linear(attention({ qkv, heads: 2 }), get('proj.weight'), { residual: x });
      const [first, others] = split(mixed, 1, [1, tokens - 1]) as [typeof x, typeof x];
      const whole = engine.empty(mixed.shape);
      const joined = join(whole, [
        copyInto(first, whole.slice(1, 0, 1)),
        linear(others, get('proj.weight'), { residual: others, into: whole.slice(1, 1, tokens) }),
      ]);
      const y = mlp({
        x: layerNorm(joined, get('norm.weight'), get('norm.bias')),
        fc1Weight: get('fc1.weight'),
        fc1Bias: get('fc1.bias'),
        fc2Weight: get('fc2.weight'),
        fc2Bias: get('fc2.bias'),
        residual: joined,
      });
      const { loss } = meanSquareError(reshape(y, [batch * tokens, columns]), target.array);
      engine.backward(loss);
      this.optimiser.step({ learningRate: 0.01 });
      return loss.item();
    });
  }

  async weights(): Promise<Float32Array> {
    return this.engine.runtime.read(this.store.banks[0]!.values);
  }

  release(): void {
    this.optimiser.release();
    this.store.release();
  }
}

describe('a training step', () => {
  const engine = useEngine();

  async function withModel<T>(body: (model: TinyTransformer) => Promise<T>, seed = 1): Promise<T> {
    const model = new TinyTransformer(engine(), seed);
    try {
      return await body(model);
    } finally {
      model.release();
    }
  }

  const train = (steps: number, seed = 1) =>
    withModel(async (model) => {
      const losses: number[] = [];
      for (let step = 0; step < steps; step++) losses.push(await model.step(step % 2));
      return { losses, weights: await model.weights() };
    }, seed);

  it('learns', async () => {
    const { losses } = await train(30);
    expect(losses.at(-1)! / losses[1]!).toBeLessThan(0.7);
  });

  it('gives the same bits every time, and others for another start', async () => {
    const first = await train(5);
    const second = await train(5);
    expect(second.losses).toEqual(first.losses);
    expect(Buffer.from(second.weights.buffer).equals(Buffer.from(first.weights.buffer))).toBe(true);
    const other = await train(5, 2);
    expect(relativeError(other.weights, first.weights)).toBeGreaterThan(0.1);
  });

  it('makes no buffer, bind group or pipeline anew after the first, and holds no memory between steps', () =>
    withModel(async (model) => {
      const { runtime } = engine();
      const { liveBytes } = runtime.pool;
      // Nothing may be left over from other steps: what is found again must be of this model's first step.
      runtime.pool.trim();
      await model.step(0);
      const dispatches: number[] = [];
      const { createdBuffers } = runtime.pool;
      const { bindGroupsCreated, pipelinesCreated } = runtime.counters;
      runtime.pool.resetPeak();
      const peaks: number[] = [];
      for (let step = 1; step <= 3; step++) {
        const before = runtime.counters.dispatches;
        await model.step(step);
        dispatches.push(runtime.counters.dispatches - before);
        peaks.push(runtime.pool.peakBytes);
        expect(runtime.pool.createdBuffers - createdBuffers, `buffers made in step ${step}`).toBe(0);
        expect(runtime.counters.bindGroupsCreated - bindGroupsCreated, `bind groups, step ${step}`).toBe(0);
        expect(runtime.counters.pipelinesCreated - pipelinesCreated, `pipelines, step ${step}`).toBe(0);
        expect(runtime.pool.liveBytes).toBe(liveBytes);
      }
      expect(new Set(dispatches).size).toBe(1);
      expect(new Set(peaks).size).toBe(1);
    }));

  it('submits its work at once: scalars of the optimiser cost no submit of their own', () =>
    withModel(async (model) => {
      await model.step(0);
      engine().runtime.poisonAllocations = false;
      try {
        const { submits } = engine().runtime.counters;
        await model.step(1);
        expect(engine().runtime.counters.submits - submits).toBe(1);
      } finally {
        engine().runtime.poisonAllocations = true;
      }
    }));

  it('keeps the gap of a pack at zero and lets unused parameters decay', () =>
    withModel(async (model) => {
      const before = await model.store.get('unused').read();
      for (let step = 0; step < 20; step++) await model.step(step);
      const bias = await model.store.pack('qkv.bias').read();
      expect([...bias.slice(columns, 2 * columns)]).toEqual([...new Float32Array(columns)]);
      const after = await model.store.get('unused').read();
      const decayed = Float64Array.from(before, (value) => value * (1 - 0.01 * 0.05) ** 20);
      expect(relativeError(after, decayed)).toBeLessThan(1e-6);
    }));
});
