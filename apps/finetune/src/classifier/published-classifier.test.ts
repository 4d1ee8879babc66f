import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeSafetensors, type SafetensorsTensor } from '@tubelet/autograd/formats';
import { proceduralParameter } from '@tubelet/kernels/lab';
import { classifierShapes, lgiFormer } from '@tubelet/mae-dfer';
import { OptionError, UserError } from '@tubelet/trainer';
import { DATASETS } from '@tubelet/video';
// Test code of a neighbour, which is not part of what its package offers.
import { publishedArchive } from '../../../../packages/mae-dfer/src/import/testing/published-archive.js';
import { describeClassifier, readClassifierFile } from './classifier-file.js';
import { exportWeights } from '../export/export-weights.js';
import { tinyDescription } from '../testing/tiny-classifier.js';

const ENCODER = lgiFormer('base', { dim: 64, depth: 1, heads: 1 });

/** Weights of a classifier as the published code names them, which say nothing of themselves. */
function weights(classes: number): Map<string, SafetensorsTensor> {
  return new Map(
    [...classifierShapes(ENCODER, classes)].map(([name, shape]) => [
      name,
      { dtype: 'F32', shape, data: proceduralParameter(name, shape) },
    ]),
  );
}

describe('a classifier that the published code has trained', () => {
  let folder: string;
  const at = (name: string) => join(folder, name);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tubelet-published-'));
    writeFileSync(at('seven.safetensors'), encodeSafetensors(weights(7)));
    writeFileSync(at('pretrained.pth'), publishedArchive());
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it('is one here when its data set is named: classes, frame step and architecture follow', async () => {
    const out = at('ferv39k.safetensors');
    const text = await exportWeights({ checkpoint: at('seven.safetensors'), out, trainedOn: 'ferv39k' });
    expect(text).toContain('classes: Happy, Sad');
    const file = await readClassifierFile(out);
    expect(file.description).toEqual({
      model: { encoder: ENCODER, classes: 7, pooling: 'representative' },
      classNames: DATASETS.ferv39k.classes,
      clips: { frameStep: 1, crop: 'none' },
      data: { name: 'ferv39k', fold: 1 },
    });
    expect(new Map([...file.weights].sort())).toEqual(new Map([...weights(7)].sort()));
    const dfew = at('dfew.safetensors');
    await exportWeights({ checkpoint: at('seven.safetensors'), out: dfew, trainedOn: 'dfew', fold: 3 });
    expect((await readClassifierFile(dfew)).description).toMatchObject({
      clips: { frameStep: 4 },
      data: { name: 'dfew', fold: 3 },
    });
  });

  it('is refused as a data set’s that it cannot be of', async () => {
    const exported = (checkpoint: string, more: object) =>
      exportWeights({ checkpoint: at(checkpoint), out: at('never.safetensors'), ...more });
    await expect(exported('seven.safetensors', { trainedOn: 'mafw' })).rejects.toThrow(
      /tells 7 classes apart, and MAFW has 11/,
    );
    await expect(exported('seven.safetensors', { trainedOn: 'dfew', fold: 6 })).rejects.toThrow(OptionError);
    await expect(exported('seven.safetensors', { fold: 1 })).rejects.toThrow(/--fold needs --trained-on/);
    await expect(exported('pretrained.pth', { trainedOn: 'dfew' })).rejects.toThrow(/no head\.weight/);
    writeFileSync(
      at('ours.safetensors'),
      encodeSafetensors(weights(7), describeClassifier(tinyDescription())),
    );
    await expect(exported('ours.safetensors', { trainedOn: 'dfew' })).rejects.toThrow(/says itself/);
  });

  it('is not taken unnamed, and the way to name it is told', async () => {
    const out = at('unnamed.safetensors');
    await exportWeights({ checkpoint: at('seven.safetensors'), out });
    for (const path of [at('pretrained.pth'), at('seven.safetensors'), out]) {
      const reading = readClassifierFile(path);
      await expect(reading).rejects.toThrow(UserError);
      await expect(reading).rejects.toThrow(`tubelet export --checkpoint ${path} --trained-on`);
    }
  });
});
