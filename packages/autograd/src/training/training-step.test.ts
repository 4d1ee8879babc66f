import { describe, expect, it } from 'vitest';
import { relativeError } from '../engine/gradcheck.js';
import { useEngine } from '../testing/test-engine.js';
import { TinyTransformer, tinySize } from '../testing/tiny-transformer.js';

const { columns } = tinySize;

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
    expect(second.weights).toEqual(first.weights);
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
        expect(engine().runtime.counters.submits - submits, 'the first commands, and the others').toBe(2);
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
