import { describe, expect, it } from 'vitest';
import { openDataset, type Dataset } from '@tubelet/video';
// Test code of neighbours, which is not part of what their packages offer.
import { temporaryFolder } from '../../../../packages/trainer/src/testing/temporary-folder.js';
import { writeMiniature } from '../../../../packages/video/src/datasets/testing/miniature.js';
import { labelledFingerprint } from '../shared/data-source.js';
import { leakWarning } from './evaluate-leak.js';

const trainedOn = (fold: number, name = 'csv') => ({ data: { name, fold } });

async function miniature(): Promise<Dataset> {
  const { root } = await writeMiniature('csv', await temporaryFolder());
  return openDataset({ name: 'csv', root });
}

describe('videos that a classifier was trained on', () => {
  it('are told of when its training part, another fold or all of a data set is evaluated', async () => {
    const dataset = await miniature();
    const { train, test } = dataset.split(1);
    expect(leakWarning(trainedOn(1), dataset, train)).toContain('12 of these 12 videos (100 %)');
    expect(leakWarning(trainedOn(1), dataset, [...train, ...test])).toContain('12 of these 18 videos (67 %)');
    const other = leakWarning(trainedOn(2), dataset, test);
    expect(other).toContain('6 of these 6 videos (100 %) are in the training part of fold 2');
    expect(other).toContain('Evaluate it with --fold 2 --part test');
  });

  it('are not feared on its own test part, nor on another data set', async () => {
    const dataset = await miniature();
    expect(leakWarning(trainedOn(1), dataset, dataset.split(1).test)).toBeNull();
    expect(leakWarning(trainedOn(2, 'dfew'), dataset, dataset.split(1).test)).toBeNull();
  });

  it('of a CSV file are those of this file alone, where the classifier says which it was trained on', async () => {
    const dataset = await miniature();
    const { train } = dataset.split(1);
    const own = { name: 'csv', fold: 1, train: labelledFingerprint(train) };
    expect(leakWarning({ data: own }, dataset, train)).toContain('which the classifier was trained on: ');
    const other = { ...own, train: labelledFingerprint(train.slice(1)) };
    expect(leakWarning({ data: other }, dataset, train)).toBeNull();
    expect(leakWarning({ data: { ...own, fold: 9 } }, dataset, train)).toBeNull();
    expect(leakWarning(trainedOn(1), dataset, train)).toContain('if it was trained on this file: ');
  });

  it('cannot be ruled out where its fold is not there', async () => {
    const dataset = await miniature();
    expect(leakWarning(trainedOn(9), dataset, dataset.split(1).test)).toMatch(/fold 9 of CSV, .* is unknown/);
  });
});
