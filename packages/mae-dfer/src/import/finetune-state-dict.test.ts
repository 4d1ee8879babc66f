import { StateDictMismatchError } from '@tubelet/autograd';
import {
  CheckpointFormatError,
  readPytorchCheckpoint,
  type SafetensorsTensor,
} from '@tubelet/autograd/formats';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { lgiFormer } from '../config.js';
import { classifierShapes } from '../classifier.js';
import { pretrainingShapes } from '../pretraining-model.js';
import { finetuneStateDict } from './finetune-state-dict.js';
import { proceduralParameter } from '@tubelet/kernels/lab';
import { archive, bytesOf } from '../../../autograd/src/formats/testing/torch-archive.js';

const tensor = (...shape: number[]): SafetensorsTensor => ({
  dtype: 'F32',
  shape,
  data: new Float32Array(shape.reduce((product, extent) => product * extent, 1)),
});

describe('a checkpoint in the published format', () => {
  const encoder = lgiFormer('base', { dim: 64, depth: 2, heads: 2, imageSize: 64, region: [2, 2, 4] });
  const decoder = { dim: 48, depth: 1, heads: 3 };
  // The pickle is PyTorch's own, with optimiser state; the weights follow from their names and are put back here.
  // The optimiser's storages stay out of the archive: nothing may look for them.
  const dataPickle = gunzipSync(
    readFileSync(new URL('./fixtures/pretrain-tiny.data.pkl.gz', import.meta.url)),
  );
  const names = [...pretrainingShapes({ encoder, decoder })];
  const storages = Object.fromEntries(
    names.map(([name, shape], key) => [key, bytesOf(proceduralParameter(name, shape))]),
  );
  const checkpoint = readPytorchCheckpoint(archive(dataPickle, storages, { root: 'checkpoint-49' }));
  const fitted = finetuneStateDict(checkpoint.tensors, classifierShapes(encoder, 7));

  it('is read whole', () => {
    expect([...checkpoint.tensors].map(([name, { shape }]) => [name, shape])).toEqual(names);
    expect(checkpoint.epoch).toBe(49);
    expect(checkpoint.settings.get('weight_decay')).toBe(0.05);
    expect(checkpoint.unreadKeys).toEqual(['optimizer', 'scaler']);
    expect(checkpoint.uncalled).toEqual(['argparse.Namespace']);
  });

  it('gives the classifier what the reference loads, bit for bit', () => {
    const digest = createHash('sha256');
    for (const name of [...fitted.tensors.keys()].sort())
      digest.update(name).update(bytesOf(fitted.tensors.get(name)!.data));
    expect(fitted.tensors.size).toBe(67);
    expect(digest.digest('hex')).toBe('e0a285ef058e50e9b04e6828854262976e8fbb7deb30dc0ce37796e1644e8dbf');
  });

  it('leaves missing and unused exactly what the published log lists', () => {
    expect(fitted.missing).toEqual(['fc_norm.weight', 'fc_norm.bias', 'head.weight', 'head.bias']);
    const ofDecoder = names.map(([name]) => name).filter((name) => name.startsWith('decoder.'));
    expect([...fitted.unused].sort()).toEqual(
      ['mask_token', 'encoder_to_decoder.weight', 'norm.weight', 'norm.bias', ...ofDecoder].sort(),
    );
    expect(fitted.matched).toHaveLength(67);
    expect(fitted.leftOutHead).toEqual([]);
  });
});

describe('finetuneStateDict', () => {
  const shapes = new Map([
    ['blocks.0.norm2.weight', [4]],
    ['head.weight', [7, 4]],
    ['head.bias', [7]],
  ]);

  it('takes the first prefix off that fits, and only one', () => {
    const given = new Map([
      ['backbone.blocks.0.norm2.weight', tensor(4)],
      ['backbone.encoder.head.bias', tensor(7)],
      ['encoder_to_decoder.weight', tensor(2, 2)],
    ]);
    const { matched, unused, missing } = finetuneStateDict(given, shapes);
    expect(matched).toEqual(['blocks.0.norm2.weight']);
    expect(unused).toEqual(['encoder.head.bias', 'encoder_to_decoder.weight']);
    expect(missing).toEqual(['head.weight', 'head.bias']);
  });

  it('keeps a head of the same shape, and leaves another one out or refuses it', () => {
    const same = new Map([
      ['head.weight', tensor(7, 4)],
      ['head.bias', tensor(7)],
    ]);
    expect(finetuneStateDict(same, shapes).matched).toEqual(['head.weight', 'head.bias']);
    const other = new Map([
      ['head.weight', tensor(11, 4)],
      ['head.bias', tensor(11)],
    ]);
    const fitted = finetuneStateDict(other, shapes);
    expect(fitted.leftOutHead).toEqual([
      'head.weight [11, 4] instead of [7, 4]',
      'head.bias [11] instead of [7]',
    ]);
    expect(fitted.missing).toContain('head.weight');
    expect(() => finetuneStateDict(other, shapes, { otherHead: 'refuse' })).toThrow(StateDictMismatchError);
  });

  it('refuses other parameters of another shape, and two of the same name', () => {
    const misshapen = new Map([['encoder.blocks.0.norm2.weight', tensor(5)]]);
    expect(() => finetuneStateDict(misshapen, shapes)).toThrow(
      /blocks\.0\.norm2\.weight \[5\] instead of \[4\]/,
    );
    const twice = new Map([
      ['blocks.0.norm2.weight', tensor(4)],
      ['encoder.blocks.0.norm2.weight', tensor(4)],
    ]);
    expect(() => finetuneStateDict(twice, shapes)).toThrow(CheckpointFormatError);
  });
});
