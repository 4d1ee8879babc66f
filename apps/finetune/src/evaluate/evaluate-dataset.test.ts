import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GpuChoiceError } from '@tubelet/kernels/node';
import { OptionError, UserError } from '@tubelet/trainer';
import { loadCheckpoint, saveCheckpoint } from '@tubelet/trainer/formats';
// Test code of a neighbour, which is not part of what its package offers.
import { writeMiniature } from '../../../../packages/video/src/datasets/testing/miniature.js';
import { describeClassifier, type ClassifierDescription } from '../classifier/classifier-file.js';
import { evaluateDataset, type OneFoldOptions } from './evaluate-dataset.js';
import { writeTinyClassifier } from '../testing/tiny-classifier.js';

const CLASSES = ['frown', 'neutral', 'smile'];

let folder: string;
let options: OneFoldOptions;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tubelet-evaluate-'));
  const { root } = await writeMiniature('csv', at('data'), { frames: 6, size: 32 });
  const description = await writeTinyClassifier(at('fold-1.safetensors'), { classNames: CLASSES });
  const { tensors } = await loadCheckpoint(at('fold-1.safetensors'));
  const second: ClassifierDescription = { ...description, data: { name: 'csv', fold: 2 } };
  await saveCheckpoint(at('fold-2.safetensors'), { tensors, metadata: describeClassifier(second) });
  options = {
    checkpoint: at('fold-1.safetensors'),
    data: 'csv',
    root,
    part: 'test',
    clips: 2,
    batchSize: 2,
    workers: 1,
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function evaluate(changes: Partial<OneFoldOptions> = {}) {
  const told: string[] = [];
  const result = await evaluateDataset({ ...options, ...changes }, (line) => {
    // On a busy machine it takes long enough for lines about its progress.
    if (!line.includes('clips scored')) told.push(line);
  });
  return { ...result, told };
}

describe('the evaluation of a data set', () => {
  it('is of the test part of the fold that the classifier was trained for, as it was trained', async () => {
    const { evaluation, told, leak, frameStep, crop, loss } = await evaluate();
    expect(evaluation).toMatchObject({
      dataset: 'CSV',
      fold: 1,
      part: 'test',
      checkpoint: at('fold-1.safetensors'),
      clipsPerVideo: 2,
      classNames: CLASSES,
      leftOut: [],
      metrics: { count: 6 },
    });
    expect(evaluation.videos.map(({ views }) => views)).toEqual(Array(6).fill(2));
    expect({ leak, told, frameStep, crop }).toEqual({ leak: null, told: [], frameStep: 2, crop: 'none' });
    expect(loss).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(evaluation))).toEqual(evaluation);
  });

  it('is of another part, fold, step and crop where that is asked for, with a warning of what was seen', async () => {
    const train = await evaluate({ part: 'train', frameStep: 1, crop: 'centre' });
    expect(train.evaluation.metrics.count).toBe(12);
    expect(train).toMatchObject({ frameStep: 1, crop: 'centre' });
    expect(train.told[0]).toMatch(
      /^warning: 12 of these 12 videos \(100 %\) are in the training part of fold 1/,
    );
    const other = await evaluate({ checkpoint: at('fold-2.safetensors'), fold: 3 });
    expect(other.evaluation.fold).toBe(3);
    expect(other.leak).toMatch(/6 of these 6 videos .* Evaluate it with --fold 2 --part test/);
    expect(other.told).toEqual([`warning: ${other.leak}`]);
    expect((await evaluate({ checkpoint: at('fold-2.safetensors') })).evaluation.fold).toBe(2);
  });

  it('leaves out and names what cannot be decoded', async () => {
    writeFileSync(at('data/broken.csv'), 'path,label\nclips/person1-smile,smile\nnowhere.mp4,frown\n');
    const { evaluation, told } = await evaluate({ root: at('data/broken.csv'), part: 'all' });
    expect(evaluation.videos.map(({ id }) => id)).toEqual(['clips/person1-smile']);
    expect(evaluation.leftOut).toEqual([{ id: 'nowhere.mp4', reason: expect.any(String) as string }]);
    expect(told.filter((line) => line.startsWith('cannot use'))).toHaveLength(1);
  });

  it('refuses a classifier of other classes, naming both lists', async () => {
    writeFileSync(at('others.txt'), 'smile\nneutral\nfrown\n');
    const evaluating = evaluate({ classesFile: at('others.txt') });
    await expect(evaluating).rejects.toThrow(UserError);
    await expect(evaluating).rejects.toThrow(
      /3 classes apart \(frown, neutral, smile\), and CSV has 3 \(smile, neutral, frown\)/,
    );
  });

  it('refuses folds, parts and GPUs that there are not, and files that are no classifier', async () => {
    await expect(evaluate({ fold: 4 })).rejects.toThrow(OptionError);
    writeFileSync(at('data/unfolded.csv'), 'path,label\nclips/person1-smile,smile\n');
    await expect(evaluate({ root: at('data/unfolded.csv') })).rejects.toThrow(
      /no videos in its test part\. Use --part all/,
    );
    await saveCheckpoint(at('other.safetensors'), { tensors: new Map(), metadata: {} });
    await expect(evaluate({ checkpoint: at('other.safetensors') })).rejects.toThrow(/is not a classifier/);
    await expect(evaluate({ gpu: 99 })).rejects.toThrow(GpuChoiceError);
  });
});
