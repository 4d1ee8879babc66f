import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from '@tubelet/autograd';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { Classifier } from './classifier.js';
import { lgiFormer } from './config.js';
import { initialiseClassifier, initialisePretraining } from './initialise.js';
import { decayGroups, layerDecayGroups } from './parameter-groups.js';
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

describe('fresh weights and optimiser groups', () => {
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

  it('of pre-training follow Xavier on stored shapes, with tokens cut at ±0.02', async () => {
    initialisePretraining(pretraining.store, 7);
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

  it('of the classifier are normal, with a head near zero', async () => {
    initialiseClassifier(classifier.store, 7);
    expect(await largest(classifier, 'blocks.1.mlp.fc1.weight')).toBeGreaterThan(0.05);
    expect(await largest(classifier, 'head.weight')).toBeLessThan(2e-4);
    expect(await largest(classifier, 'head.weight')).toBeGreaterThan(0);
    expect(new Set(await classifier.store.get('fc_norm.weight').read())).toEqual(new Set([1]));
  });

  it('depend on the seed alone', async () => {
    const name = 'encoder.blocks.1.mlp.fc2.weight';
    const weights = async (seed: number) => {
      initialisePretraining(pretraining.store, seed);
      return pretraining.store.get(name).read();
    };
    const first = await weights(1);
    expect(await weights(2)).not.toEqual(first);
    expect(await weights(1)).toEqual(first);
  });

  it('decay matrices only; representative tokens by the rule of each program', () => {
    const decayed = (groups: readonly { weightDecay: number; parameters: readonly string[] }[]) =>
      new Set(groups.filter(({ weightDecay }) => weightDecay > 0).flatMap(({ parameters }) => parameters));
    const pre = decayed(decayGroups(pretraining.store, 0.05));
    expect(pre).toContain('encoder.lg_region_tokens');
    expect(pre).not.toContain('mask_token');
    expect(pre).not.toContain('encoder.norm.weight');
    expect(pre).toContain('decoder.head.weight');
    const fine = layerDecayGroups(classifier.store, { depth: 2, weightDecay: 0.05, layerDecay: 0.75 });
    expect(decayed(fine)).not.toContain('lg_region_tokens');
    const scale = (name: string) =>
      fine.find(({ parameters }) => parameters.includes(name))!.learningRateScale;
    expect(scale('patch_embed.proj.weight')).toBeCloseTo(0.75 ** 3, 12);
    expect(scale('blocks.0.norm2.bias')).toBeCloseTo(0.75 ** 2, 12);
    expect(scale('blocks.1.mlp.fc1.weight')).toBeCloseTo(0.75, 12);
    for (const name of ['head.weight', 'fc_norm.bias', 'lg_region_tokens']) expect(scale(name)).toBe(1);
    const first = layerDecayGroups(classifier.store, {
      depth: 2,
      weightDecay: 0.05,
      layerDecay: 0.75,
      representativeTokens: 'first',
    });
    const ofTokens = first.find(({ parameters }) => parameters.includes('lg_region_tokens'))!;
    expect(ofTokens.learningRateScale).toBeCloseTo(0.75 ** 3, 12);
    // Every parameter is in exactly one group.
    const all = fine.flatMap(({ parameters }) => parameters);
    expect(all).toHaveLength(classifier.store.parameters.size);
    expect(new Set(all).size).toBe(all.length);
  });
});
