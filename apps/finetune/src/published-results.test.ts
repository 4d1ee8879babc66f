import { describe, expect, it } from 'vitest';
import { DATASETS, PUBLISHED_NAMES } from '@tubelet/video';
import { PUBLISHED_RESULTS, publishedFolds, publishedFor } from './published-results.js';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('published results', () => {
  it.each(PUBLISHED_NAMES)('of %s agree with each other and with its protocol', (name) => {
    const { total, folds, classRecallPercent } = PUBLISHED_RESULTS[name];
    const { classes, folds: foldCount } = DATASETS[name];
    if (classRecallPercent) {
      expect(classRecallPercent).toHaveLength(classes.length);
      expect(mean(classRecallPercent)).toBeCloseTo(total.uarPercent, 1);
    }
    if (folds) expect(folds).toHaveLength(foldCount);
    expect(total.warPercent).toBeGreaterThan(50);
  });

  it('of DFEW’s folds average to its total, and MAFW’s to what their second training gave', () => {
    const means = (name: 'dfew' | 'mafw') => {
      const folds = PUBLISHED_RESULTS[name].folds!;
      return [mean(folds.map((fold) => fold.uarPercent)), mean(folds.map((fold) => fold.warPercent))];
    };
    expect(means('dfew')[0]).toBeCloseTo(63.408, 3);
    expect(means('dfew')[1]).toBeCloseTo(74.428, 3);
    expect(means('mafw')[0]).toBeCloseTo(42.362, 3);
    expect(means('mafw')[1]).toBeCloseTo(55.034, 3);
  });

  it('are those of the fold and of all folds, of test parts alone', () => {
    const titles = (...of: Parameters<typeof publishedFor>) => publishedFor(...of).map(({ title }) => title);
    const [of, all] = ['published for MAE-DFER base, fold 2', 'published for MAE-DFER base, all folds'];
    expect(titles('dfew', 2, 'test')).toEqual([of, all]);
    expect(titles('dfew', 'all', 'test')).toEqual([all]);
    expect(titles('ravdess', 3, 'test')).toEqual([all]);
    expect(titles('ferv39k', 1, 'test')).toEqual(['published for MAE-DFER base']);
    expect(titles('dfew', 1, 'train')).toEqual([]);
    expect(titles('csv', 1, 'test')).toEqual([]);
    const [fold, total] = publishedFor('dfew', 2, 'test');
    expect(fold).toMatchObject({ uarPercent: 61.96, warPercent: 72.49 });
    expect(fold).not.toHaveProperty('classRecallPercent');
    expect(total?.classRecallPercent).toHaveLength(7);
  });

  it('of single folds go by their numbers', () => {
    expect(publishedFolds('mafw', 'test')[5]).toMatchObject({ uarPercent: 41.66, warPercent: 55.27 });
    expect(publishedFolds('mafw', 'all')).toEqual({});
    expect(publishedFolds('ravdess', 'test')).toEqual({});
  });
});
