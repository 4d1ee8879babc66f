import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine, readStateDict } from '@tubelet/autograd';
import { encodeSafetensors, type SafetensorsTensor } from '@tubelet/autograd/formats';
import type { Runtime } from '@tubelet/kernels';
import { proceduralParameter } from '@tubelet/kernels/lab';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import {
  Classifier,
  classifierShapes,
  lgiFormer,
  PretrainingModel,
  pretrainingShapes,
  vitBase,
  type EncoderConfig,
  type PretrainingConfig,
} from '@tubelet/mae-dfer';
import { UserError } from '@tubelet/trainer';
import { checkpointPath, loadCheckpoint, saveCheckpoint } from '@tubelet/trainer/formats';
// Test code of a neighbour, which is not part of what its package offers.
import {
  PUBLISHED_ENCODER,
  publishedArchive,
  publishedShapes,
  stateDictArchive,
} from '../../../../packages/mae-dfer/src/import/testing/published-archive.js';
import {
  hostileArchive,
  op,
  pickle,
} from '../../../../packages/autograd/src/formats/testing/torch-archive.js';
import { describeClassifier } from '../classifier/classifier-file.js';
import {
  encoderConfigOf,
  formatWeightsReport,
  loadStartingWeights,
  requireSameEncoder,
} from './starting-weights.js';
import { TINY_ENCODER, tinyDescription } from '../testing/tiny-classifier.js';
import { readWeightsFile } from '../classifier/weights-file.js';

let runtime: Runtime;
let folder: string;
const at = (name: string) => join(folder, name);

const newClassifier = (encoder: EncoderConfig = TINY_ENCODER, classes = 3): Classifier =>
  new Classifier(new Engine(runtime), { encoder, classes, pooling: 'representative' });

/** A classifier with fresh weights, and these. */
async function fresh(
  encoder: EncoderConfig = TINY_ENCODER,
  classes = 3,
): Promise<{ classifier: Classifier; before: Map<string, SafetensorsTensor> }> {
  const classifier = newClassifier(encoder, classes);
  classifier.initialise(5);
  return { classifier, before: await readStateDict(classifier.store) };
}

const PRETRAINING: PretrainingConfig = {
  encoder: TINY_ENCODER,
  decoder: { dim: 16, depth: 1, heads: 1 },
  decoderPositions: 'token',
};
const HEAD = ['head.weight', 'head.bias'];
const FRESH = ['fc_norm.weight', 'fc_norm.bias', ...HEAD];

let pretrained: ReadonlyMap<string, SafetensorsTensor>;

beforeAll(async () => {
  runtime = await openNodeRuntime();
  folder = mkdtempSync(join(tmpdir(), 'tubelet-weights-'));
  writeFileSync(at('checkpoint-49.pth'), publishedArchive());

  const model = new PretrainingModel(new Engine(runtime), PRETRAINING);
  model.initialise(2);
  pretrained = await readStateDict(model.store);
  const moments = [...pretrained].flatMap(([name, tensor]) =>
    ['exp_avg.', 'exp_avg_sq.'].map((prefix) => [prefix + name, tensor] as const),
  );
  const metadata = { 'tubelet.pretraining.config': JSON.stringify(PRETRAINING), 'tubelet.step': '7' };
  await saveCheckpoint(at('pretraining.safetensors'), {
    tensors: new Map([...pretrained, ...moments]),
    metadata,
  });
  writeFileSync(at('plain.safetensors'), encodeSafetensors(pretrained));

  const { classifier } = await fresh();
  classifier.initialise(9);
  const tensors = await readStateDict(classifier.store);
  const training = [...tensors].map(([name, tensor]) => [`trained.${name}`, tensor] as const);
  await saveCheckpoint(at('classifier.safetensors'), {
    tensors: new Map([...tensors, ...training]),
    metadata: describeClassifier(tinyDescription()),
  });
});
afterAll(() => {
  closeNodeRuntime(runtime);
  rmSync(folder, { recursive: true, force: true });
});

describe('weights to start from', () => {
  it('come from an official checkpoint exactly as the reference takes them', async () => {
    const { classifier, before } = await fresh(PUBLISHED_ENCODER, 7);
    const report = await loadStartingWeights(at('checkpoint-49.pth'), classifier, { otherHead: 'refuse' });
    expect(report.source).toBe('published checkpoint');
    expect(report.matched).toHaveLength(67);
    expect(report.missing).toEqual(FRESH);
    const names = [...publishedShapes().keys()];
    const decoder = names.filter((name) => name.startsWith('decoder.'));
    expect([...report.unused].sort()).toEqual(
      ['mask_token', 'encoder_to_decoder.weight', 'norm.weight', 'norm.bias', ...decoder].sort(),
    );
    for (const [name, { shape, data }] of await readStateDict(classifier.store)) {
      const expected = FRESH.includes(name)
        ? before.get(name)!.data
        : proceduralParameter(`encoder.${name}`, shape);
      expect(data, name).toEqual(expected);
    }
    const text = formatWeightsReport(report);
    expect(text).toContain('67 of 71 parameters');
    expect(text).toContain(`4 fresh: ${FRESH.join(', ')}`);
    expect(text).toContain(`decoder.* (${decoder.length}), mask_token, norm.weight, norm.bias`);
    expect(text).toContain('after epoch 50');
    expect(text).toContain('not run: argparse.Namespace');
  });

  it.each([
    ['tubelet pre-training', 'pretraining.safetensors'],
    ['published checkpoint', 'plain.safetensors'],
  ])('come from a %s without what only pre-training needs', async (source, name) => {
    const { classifier } = await fresh();
    const report = await loadStartingWeights(at(name), classifier, { otherHead: 'refuse' });
    expect(report).toMatchObject({ source, missing: FRESH });
    expect(report.unused.filter((one) => one.includes('exp_avg'))).toEqual([]);
    const after = await readStateDict(classifier.store);
    for (const one of report.matched) expect(after.get(one), one).toEqual(pretrained.get(`encoder.${one}`));
  });

  it.each([
    ['pre-training', 'model', 'encoder.', FRESH],
    ['fine-tuning on its 400 classes', 'module', '', HEAD],
  ] as const)('come from VideoMAE’s published layout of %s', async (kind, key, prefix, missing) => {
    const encoder = vitBase({ imageSize: 32, frames: 4, dim: 64, depth: 2, heads: 1 });
    const { decoder } = PRETRAINING;
    const shapes = prefix === '' ? classifierShapes(encoder, 400) : pretrainingShapes({ encoder, decoder });
    writeFileSync(at('videomae.pth'), stateDictArchive(shapes, key));
    expect(await encoderConfigOf(at('videomae.pth'))).toEqual({ ...encoder, imageSize: 160, frames: 16 });
    const classifier = new Classifier(new Engine(runtime), { encoder, classes: 7, pooling: 'original' });
    classifier.initialise(5);
    const report = await loadStartingWeights(at('videomae.pth'), classifier, { otherHead: 'leave-out' });
    expect([...report.missing].sort(), kind).toEqual([...missing].sort());
    for (const [name, { shape, data }] of await readStateDict(classifier.store)) {
      if (report.matched.includes(name)) expect(data).toEqual(proceduralParameter(prefix + name, shape));
    }
    expect(report.matched).toContain('blocks.1.attn.qkv.weight');
  });

  it('come whole from a classifier of the same classes', async () => {
    const { classifier } = await fresh();
    const classNames = tinyDescription().classNames;
    const report = await loadStartingWeights(at('classifier.safetensors'), classifier, {
      otherHead: 'refuse',
      classNames,
    });
    expect(report).toMatchObject({
      source: 'tubelet classifier',
      missing: [],
      unused: [],
      leftOutHead: [],
    });
  });

  it('leave out the head of another class count or of other classes, or are refused, as is asked for', async () => {
    const five = await fresh(TINY_ENCODER, 5);
    const path = at('classifier.safetensors');
    const report = await loadStartingWeights(path, five.classifier, { otherHead: 'leave-out' });
    expect(report.missing).toEqual(HEAD);
    expect(report.leftOutHead).toEqual([
      'head.bias [3] instead of [5]',
      'head.weight [3, 32] instead of [5, 32]',
    ]);
    expect(formatWeightsReport(report)).toContain('left out: head.bias [3] instead of [5]; head.weight');
    await expect(loadStartingWeights(path, five.classifier, { otherHead: 'refuse' })).rejects.toThrow(
      /head\.weight \[3, 32\] instead of \[5, 32\]/,
    );

    const three = await fresh();
    const classNames = ['sad', 'glad', 'calm'];
    const renamed = await loadStartingWeights(path, three.classifier, { otherHead: 'leave-out', classNames });
    expect(renamed.missing).toEqual(HEAD);
    expect(renamed.leftOutHead[0]).toContain(
      'its classes are glad, calm, sad, and here they are sad, glad, calm',
    );
    const after = await readStateDict(three.classifier.store);
    for (const name of HEAD) expect(after.get(name)).toEqual(three.before.get(name));
    await expect(
      loadStartingWeights(path, three.classifier, { otherHead: 'refuse', classNames }),
    ).rejects.toThrow(/head in .* is for other classes/);
  });

  it('are refused for another encoder, also where all shapes are the same', async () => {
    const { classifier, before } = await fresh({ ...TINY_ENCODER, heads: 4, region: [2, 1, 2] });
    const loading = loadStartingWeights(at('pretraining.safetensors'), classifier, {
      otherHead: 'leave-out',
    });
    await expect(loading).rejects.toThrow(UserError);
    await expect(loading).rejects.toThrow(
      /heads is 2 there and 4 here; region is 1×2×2 there and 2×1×2 here\. Set --heads 2 --region 1,2,2, or/,
    );
    expect(await readStateDict(classifier.store)).toEqual(before);
  });

  it('are refused for an encoder of another width, depth or kind, which the tensors tell', async () => {
    const wide = newClassifier(lgiFormer('tiny', { ...TINY_ENCODER, dim: 64, depth: 3 }));
    await expect(
      loadStartingWeights(at('plain.safetensors'), wide, { otherHead: 'leave-out' }),
    ).rejects.toThrow(/dim is 32 there and 64 here; depth is 2 there and 3 here\. Set --dim 32 --depth 2/);
    const official = at('checkpoint-49.pth');
    const { encoder: stated } = await readWeightsFile(official);
    const vit = vitBase({ dim: 64, depth: 2, heads: 2 });
    expect(() => requireSameEncoder(official, stated, vit)).toThrow(/kind is lgi-former there and vit here/);
    const localOnly = { ...PUBLISHED_ENCODER, interRegion: false, localGlobal: false };
    expect(() => requireSameEncoder(official, stated, localOnly)).toThrow(/Set --ablation none,/);
    expect(() => requireSameEncoder(official, stated, { ...PUBLISHED_ENCODER, patchSize: 8 })).toThrow(
      /patchSize is 16 there and 8 here\. Start from other weights/,
    );
  });

  it('are refused when a part of the encoder is not there', async () => {
    const { classifier, before } = await fresh();
    const part = [...pretrained].filter(([name]) => !name.includes('mlp'));
    writeFileSync(at('part.safetensors'), encodeSafetensors(new Map(part)));
    await expect(
      loadStartingWeights(at('part.safetensors'), classifier, { otherHead: 'leave-out' }),
    ).rejects.toThrow(/has nothing for 8 of the encoder's \d+ parameters \(blocks\.0\.mlp\.fc1\.weight/);
    writeFileSync(
      at('other.safetensors'),
      encodeSafetensors(new Map([['conv1.weight', pretrained.get('mask_token')!]])),
    );
    await expect(
      loadStartingWeights(at('other.safetensors'), classifier, { otherHead: 'leave-out' }),
    ).rejects.toThrow(/it holds conv1\.weight, … Give weights of MAE-DFER/);
    expect(await readStateDict(classifier.store)).toEqual(before);
  });
});

describe('the encoder that a file states', () => {
  it('is all of it in checkpoints of Tubelet', async () => {
    expect(await encoderConfigOf(at('pretraining.safetensors'))).toEqual(TINY_ENCODER);
    expect(await encoderConfigOf(at('classifier.safetensors'))).toEqual(TINY_ENCODER);
  });

  it('is what the tensors tell in others, with the paper’s settings for the rest', async () => {
    const paper = { imageSize: 160, frames: 16, region: [2, 5, 10] as const };
    expect(await encoderConfigOf(at('checkpoint-49.pth'))).toEqual({
      ...PUBLISHED_ENCODER,
      ...paper,
      heads: 1,
    });
    expect(await encoderConfigOf(at('plain.safetensors'))).toEqual({ ...TINY_ENCODER, ...paper, heads: 1 });
    const cubes: SafetensorsTensor = {
      dtype: 'F32',
      shape: [768, 3, 2, 16, 16],
      data: new Float32Array(768 * 1536),
    };
    const norm: SafetensorsTensor = { dtype: 'F32', shape: [768], data: new Float32Array(768) };
    const vit = { 'encoder.patch_embed.proj.weight': cubes, 'encoder.blocks.11.norm1.weight': norm };
    writeFileSync(at('vit.safetensors'), encodeSafetensors(new Map(Object.entries(vit))));
    expect(await encoderConfigOf(at('vit.safetensors'))).toEqual(vitBase());
    writeFileSync(at('none.safetensors'), encodeSafetensors(new Map()));
    expect(await encoderConfigOf(at('none.safetensors'))).toBeUndefined();
  });

  it('is that of the newest checkpoint of a run', async () => {
    const { tensors, metadata } = await loadCheckpoint(at('pretraining.safetensors'));
    await saveCheckpoint(checkpointPath(at('run'), 7), { tensors, metadata });
    expect(await encoderConfigOf(at('run'))).toEqual(TINY_ENCODER);
  });
});

describe('a file that cannot be used', () => {
  it.each([
    ['os', 'system'],
    ['posix', 'system'],
    ['subprocess', 'Popen'],
    ['builtins', 'eval'],
  ])('is refused when its pickle would call %s.%s', async (module, name) => {
    writeFileSync(at('hostile.pth'), hostileArchive(module, name));
    const loading = encoderConfigOf(at('hostile.pth'));
    await expect(loading).rejects.toThrow(UserError);
    await expect(loading).rejects.toThrow(
      new RegExp(
        `hostile\\.pth is refused: its pickle wants ${module}\\.${name} to be called.*Nothing of it was run`,
      ),
    );
    await expect(
      loadStartingWeights(at('hostile.pth'), newClassifier(), { otherHead: 'leave-out' }),
    ).rejects.toThrow('is refused');
  });

  it('is not a pickle that names unknown classes', async () => {
    writeFileSync(at('unknown.pth'), hostileArchive('their.package', 'Settings'));
    const { tensors, notes } = await readWeightsFile(at('unknown.pth'));
    expect([...tensors.keys()]).toEqual(['w']);
    expect(notes).toContain('named in the pickle and not run: their.package.Settings');
  });

  it('is refused by name when it is missing, cut short, of another kind, or an old pickle', async () => {
    await expect(readWeightsFile(at('nowhere.pth'))).rejects.toThrow(/cannot read .*nowhere\.pth/);
    await expect(readWeightsFile(folder)).rejects.toThrow(/it is not a file/);
    writeFileSync(at('cut.pth'), publishedArchive().subarray(0, 5000));
    await expect(encoderConfigOf(at('cut.pth'))).rejects.toThrow(/cut\.pth cannot be used/);
    writeFileSync(at('notes.txt'), 'This holds no weights.\n');
    await expect(encoderConfigOf(at('notes.txt'))).rejects.toThrow(/neither a safetensors file nor/);
    writeFileSync(at('old.pth'), pickle(op.none));
    await expect(encoderConfigOf(at('old.pth'))).rejects.toThrow(/bare pickle, as PyTorch wrote before 1\.6/);
  });
});
