import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from '@tubelet/autograd';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { Classifier } from './classifier.js';
import { lgiFormer } from './config.js';
import { PretrainingModel } from './pretraining-model.js';

const encoder = lgiFormer('tiny', {
  imageSize: 32,
  frames: 4,
  dim: 64,
  depth: 2,
  heads: 2,
  region: [2, 1, 2],
});
const decoder = { dim: 32, depth: 1, heads: 2 };

describe('the weights of a model', () => {
  let engine: Engine;
  let pretraining: PretrainingModel;
  let classifier: Classifier;
  beforeAll(async () => {
    engine = new Engine(await openNodeRuntime());
    pretraining = new PretrainingModel(engine, { encoder, decoder, decoderPositions: 'token' });
    classifier = new Classifier(engine, { encoder, classes: 7, pooling: 'representative' });
  });
  afterAll(() => closeNodeRuntime(engine.runtime));

  const largest = async (model: PretrainingModel | Classifier, name: string) =>
    Math.max(...(await model.store.get(name).read()).map(Math.abs));

  it('of pre-training begin by Xavier on stored shapes, with tokens cut at ±0.02', async () => {
    pretraining.initialise(7);
    const kv = 'encoder.blocks.0.first_attn.kv.weight';
    const bound = Math.sqrt(6 / (128 + 64));
    expect(await largest(pretraining, kv)).toBeLessThanOrEqual(bound);
    expect(await largest(pretraining, kv)).toBeGreaterThan(0.98 * bound);
    const tokens = await pretraining.store.get('encoder.lg_region_tokens').read();
    expect(Math.max(...tokens.map(Math.abs))).toBeLessThanOrEqual(0.02);
    const deviation = Math.sqrt(tokens.reduce((sum, value) => sum + value ** 2, 0) / tokens.length);
    expect(deviation).toBeCloseTo(0.0108, 3);
    expect(await largest(pretraining, 'encoder.patch_embed.proj.bias')).toBeLessThanOrEqual(
      1 / Math.sqrt(1536),
    );
    expect(await largest(pretraining, 'encoder.patch_embed.proj.bias')).toBeGreaterThan(0);
    expect(await largest(pretraining, 'encoder_to_decoder.weight')).toBeLessThanOrEqual(1 / 8);
    expect(new Set(await pretraining.store.get('encoder.norm.weight').read())).toEqual(new Set([1]));
    expect(await largest(pretraining, 'decoder.blocks.0.attn.q_bias')).toBe(0);
  });

  it('of the classifier begin as normal, with a head near zero', async () => {
    classifier.initialise(7);
    expect(await largest(classifier, 'blocks.1.mlp.fc1.weight')).toBeGreaterThan(0.05);
    expect(await largest(classifier, 'head.weight')).toBeLessThan(2e-4);
    expect(await largest(classifier, 'head.weight')).toBeGreaterThan(0);
    expect(new Set(await classifier.store.get('fc_norm.weight').read())).toEqual(new Set([1]));
  });

  it('begin by the seed alone', async () => {
    const name = 'encoder.blocks.1.mlp.fc2.weight';
    const weights = async (seed: number) => {
      pretraining.initialise(seed);
      return pretraining.store.get(name).read();
    };
    const first = await weights(1);
    expect(await weights(2)).not.toEqual(first);
    expect(await weights(1)).toEqual(first);
  });

  it('decay as matrices only; representative tokens by the rule of each program', () => {
    const decays = ({ store }: PretrainingModel | Classifier, name: string) => store.get(name).decays;
    expect(decays(pretraining, 'encoder.lg_region_tokens')).toBe(true);
    expect(decays(pretraining, 'mask_token')).toBe(false);
    expect(decays(pretraining, 'encoder.norm.weight')).toBe(false);
    expect(decays(pretraining, 'decoder.head.weight')).toBe(true);
    expect(decays(classifier, 'lg_region_tokens')).toBe(false);
  });

  it('learn by layer at rates that fall towards the input', () => {
    const scales = (representativeTokens?: 'first' | 'last') => {
      const groups = classifier.learningRateGroups({ layerDecay: 0.75, representativeTokens });
      const entries = groups.flatMap(({ parameters, learningRateScale }) =>
        parameters.map(({ name }) => [name, learningRateScale] as const),
      );
      expect(new Set(entries.map(([name]) => name)).size, 'none twice').toBe(entries.length);
      return new Map(entries);
    };
    const byName = scales();
    expect(byName.get('patch_embed.proj.weight')).toBeCloseTo(0.75 ** 3, 12);
    expect(byName.get('blocks.0.norm2.bias')).toBeCloseTo(0.75 ** 2, 12);
    expect(byName.get('blocks.1.mlp.fc1.weight')).toBeCloseTo(0.75, 12);
    for (const name of ['head.weight', 'fc_norm.bias', 'lg_region_tokens']) {
      expect(byName.has(name), 'at the full learning rate').toBe(false);
    }
    expect(scales('first').get('lg_region_tokens')).toBeCloseTo(0.75 ** 3, 12);
  });

  it('lie so that one product projects queries, keys and values', () => {
    const [q, kv] = ['q', 'kv'].map(
      (which) => classifier.store.get(`blocks.0.first_attn.${which}.weight`).array,
    );
    expect(kv!.storage).toBe(q!.storage);
    expect(kv!.offset).toBe(q!.offset + q!.size);
  });
});
