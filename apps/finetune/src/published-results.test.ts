import { describe, expect, it } from 'vitest';
import { DATASETS, PUBLISHED_NAMES } from '@tubelet/video';
import { PUBLISHED_RESULTS, publishedFor } from './published-results.js';

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

  it('are those of the fold, or else of all folds, and of test parts alone', () => {
    expect(publishedFor('dfew', 2, 'test')).toMatchObject({
      title: 'published for MAE-DFER base, fold 2',
      uarPercent: 61.96,
    });
    expect(publishedFor('dfew', 'all', 'test')).toMatchObject({ uarPercent: 63.41, warPercent: 74.43 });
    expect(publishedFor('ravdess', 3, 'test')?.title).toBe('published for MAE-DFER base, all folds');
    expect(publishedFor('ferv39k', 1, 'test')?.title).toBe('published for MAE-DFER base');
    expect(publishedFor('dfew', 1, 'train')).toBeUndefined();
    expect(publishedFor('csv', 1, 'test')).toBeUndefined();
  });
});
