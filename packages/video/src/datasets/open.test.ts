import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/videos.js';
import type { Dataset } from './dataset.js';
import { labelCounts } from './label-counts.js';
import { openDataset } from './open.js';
import { DATASET_NAMES, DATASETS, PUBLISHED_NAMES, type DatasetName } from './protocols.js';
import { writeMiniature, type Miniature } from './testing/miniature.js';

const folder = temporaryFolder();
afterAll(folder.remove);

describe.each(DATASET_NAMES)('the miniature of %s', (name) => {
  let miniature: Miniature;
  let dataset: Dataset;

  beforeAll(async () => {
    miniature = await writeMiniature(name, join(folder.path, name));
    dataset = await openDataset({ name, root: miniature.root });
  });

  it('has the folds and classes of its protocol', () => {
    const { title, classes = ['frown', 'neutral', 'smile'], folds = 3 } = DATASETS[name];
    expect(dataset).toMatchObject({ name, title, classes, folds, root: miniature.root });
  });

  it('has every clip in each fold once, each part with all classes', () => {
    for (let fold = 1; fold <= dataset.folds; fold++) {
      const { train, test } = dataset.split(fold);
      expect([...train, ...test].map(({ path }) => path).sort()).toEqual(miniature.clips);
      expect(Math.min(...labelCounts(train, dataset.classes))).toBeGreaterThan(0);
      expect(Math.min(...labelCounts(test, dataset.classes))).toBeGreaterThan(0);
    }
  });

  it('tests each clip in one fold where it has several', () => {
    if (dataset.folds === 1) return expect(dataset.split(1).test).toHaveLength(7);
    const tested = Array.from({ length: dataset.folds }, (_, index) => dataset.split(index + 1).test);
    expect(
      tested
        .flat()
        .map(({ path }) => path)
        .sort(),
    ).toEqual(miniature.clips);
  });

  it('refuses folds that it does not have', () => {
    for (const fold of [0, dataset.folds + 1, 1.5]) {
      expect(() => dataset.split(fold)).toThrow(RangeError);
    }
    expect(() => dataset.split(0)).toThrow(/fold is 0/);
  });
});

describe('openDataset', () => {
  it('gives a clip whose folder is absent all the same', async () => {
    const { root, clips } = await writeMiniature('mafw', join(folder.path, 'partial'));
    rmSync(clips[0] as string, { recursive: true });
    const { train, test } = (await openDataset({ name: 'mafw', root })).split(1);
    expect(train.length + test.length).toBe(clips.length);
  });

  it.each(PUBLISHED_NAMES)('says what %s should look like when a folder is missing', async (name) => {
    const missing = join(folder.path, 'nowhere');
    await expect(openDataset({ name, root: missing })).rejects.toThrow(
      `${missing}: there is no such folder. Give the folder of ${DATASETS[name].title}, which holds `,
    );
    await expect(openDataset({ name, root: folder.path })).rejects.toMatchObject({
      name: 'DatasetError',
      problems: [{ problem: 'there is no such folder', remedy: expect.stringContaining('*.') as string }],
    });
  });

  it('refuses unknown names, and class files of data sets that have their classes', async () => {
    await expect(openDataset({ name: 'fer2013' as DatasetName, root: folder.path })).rejects.toThrow(
      'name is "fer2013": give one of dfew, ferv39k, mafw, crema-d, ravdess, enterface05, csv.',
    );
    await expect(openDataset({ name: 'dfew', root: folder.path, classesFile: 'c.txt' })).rejects.toThrow(
      /classesFile is c\.txt/,
    );
  });
});

describe('DATASETS', () => {
  it.each(PUBLISHED_NAMES)('has sizes of %s that agree with each other', (name) => {
    const { published, folds, classes } = DATASETS[name];
    for (const { train, test } of published.splits ?? []) expect(train + test).toBe(published.total);
    if (published.splits !== undefined) expect(published.splits).toHaveLength(folds);
    if (published.classes !== undefined) {
      expect(published.classes).toHaveLength(classes.length);
      expect(published.classes.reduce((sum, count) => sum + count)).toBe(published.total);
    }
  });
});
