import { describe, expect, it } from 'vitest';
import { AdamW } from '../training/adamw.js';
import { SGD } from '../training/sgd.js';
import { readStateDict } from '../parameters/state-dict.js';
import { meanSquareError } from '../ops/losses.js';
import { useEngine, values } from '../testing/test-engine.js';
import type { Tensor } from '../engine/tensor.js';
import { layer, pack, parameter, parameterShapes } from './layer.js';
import { byFanIn, ones, zeros } from './initialisers.js';
import {
  embedding,
  gelu,
  layerNorm,
  linear,
  mlp,
  recomputed,
  selfAttention,
  sequential,
} from './standard.js';

describe('layers', () => {
  const engine = useEngine();
  const block = () => sequential(layerNorm(8), selfAttention(8, 2, { causal: true }), gelu(), linear(8, 3));

  it('name their parameters by the tree and say which decay', () => {
    const net = block().bind(engine());
    expect([...net.store.parameters].map(([name, { shape, decays }]) => [name, [...shape], decays])).toEqual([
      ['0.weight', [8], false],
      ['0.bias', [8], false],
      ['1.qkv.weight', [24, 8], true],
      ['1.qkv.bias', [24], false],
      ['1.proj.weight', [8, 8], true],
      ['1.proj.bias', [8], false],
      ['3.weight', [3, 8], true],
      ['3.bias', [3], false],
    ]);
    net.store.release();
  });

  it('leave the name of a pack out of those of its parts', () => {
    const both = pack([4, 2], { 'q.weight': parameter([2, 2], ones), k: { gap: 4 } });
    const token = parameter([1, 2], zeros, { decays: false });
    const net = layer({ token, attn: layer({ both }, () => both.tensor) }, () => token.tensor).bind(engine());
    expect([...net.store.parameters.keys()]).toEqual(['token', 'attn.q.weight']);
    expect(net.store.get('token').decays).toBe(false);
    expect(both.tensor.shape).toEqual([4, 2]);
    net.store.release();
  });

  it('know their names and shapes without an engine, and give their parameters', () => {
    const net = layer({ embed: embedding(5, 4), mlp: mlp(4, 8) }, (ids: Tensor) => ids);
    const shapes = [...parameterShapes(net)];
    expect(shapes).toEqual([
      ['embed.weight', [5, 4]],
      ['mlp.fc1.weight', [8, 4]],
      ['mlp.fc1.bias', [8]],
      ['mlp.fc2.weight', [4, 8]],
      ['mlp.fc2.bias', [4]],
    ]);
    expect(() => net.parameters()).toThrow(/no values yet/);
    net.bind(engine());
    expect(net.parameters().map(({ name, shape }) => [name, shape])).toEqual(shapes);
    net.store.release();
  });

  it('begin with the same values for the same seed', async () => {
    const weights = async (seed: number) => {
      const net = block().init(engine(), { seed });
      const read = await readStateDict(net.store);
      net.store.release();
      return read;
    };
    const first = await weights(1);
    expect(await weights(1)).toEqual(first);
    expect(await weights(2)).not.toEqual(first);
    const bound = 1 / Math.sqrt(8);
    const matrix = first.get('1.qkv.weight')!.data as Float32Array;
    expect(Math.max(...matrix.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...matrix.map(Math.abs))).toBeGreaterThan(0.9 * bound);
  });

  it('refuse to be used or placed where they cannot be', () => {
    const lost = linear(2, 2);
    expect(() => lost.store).toThrow(/call its init/);
    expect(() => lost(engine().tensor(new Float32Array(2), [1, 2]))).toThrow(/no values yet/);
    const shared = parameter([2], byFanIn);
    expect(() => layer({ a: shared, b: shared }, () => undefined).bind(engine())).toThrow(/twice in one net/);
    const net = linear(2, 2).bind(engine());
    const { store } = net;
    expect(() => net.bind(engine())).toThrow(/on an engine already/);
    expect(net.store).toBe(store);
    store.release();
    expect(() => selfAttention(8, 3)).toThrow(/3 heads do not divide a width of 8/);
  });

  it('are trained at a learning rate that somebody gives', () => {
    const net = linear(2, 2).bind(engine());
    for (const Optimiser of [AdamW, SGD]) {
      const optimiser = new Optimiser(net.store);
      expect(() => optimiser.step()).toThrow(/give a learningRate/);
      optimiser.release();
    }
    net.store.release();
  });

  it('learn, to the same bits where the backward pass runs a layer again', async () => {
    const x = Float32Array.from(values(2 * 5 * 8));
    const y = Float32Array.from(values(2 * 5 * 3, 2));
    const train = async (net: ReturnType<typeof block>) => {
      net.init(engine(), { seed: 3 });
      const adamw = new AdamW(net.store, { learningRate: 0.05 });
      const losses: number[] = [];
      for (let i = 0; i < 20; i++) {
        const loss = await engine().step(() => {
          const error = meanSquareError(net(engine().tensor(x, [2, 5, 8])), engine().tensor(y, [2, 5, 3]));
          error.backward();
          adamw.step();
          return error;
        });
        losses.push(await loss.item());
      }
      adamw.release();
      net.store.release();
      return losses;
    };
    const losses = await train(block());
    expect(losses[19]).toBeLessThan(0.5 * losses[0]!);
    expect(await train(recomputed(block()))).toEqual(losses);
  });
});
