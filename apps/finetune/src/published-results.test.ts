import { describe, expect, it } from 'vitest';
import { lgiFormer, vitBase } from '@tubelet/mae-dfer';
import { DATASETS, PUBLISHED_NAMES } from '@tubelet/video';
import { BASE_RESULTS, PUBLISHED_MODELS, publishedFolds, publishedFor } from './published-results.js';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('published results', () => {
  it.each(PUBLISHED_NAMES)('of %s agree with each other and with its protocol', (name) => {
    const { total, folds, classRecallPercent } = BASE_RESULTS[name];
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
      const folds = BASE_RESULTS[name].folds!;
      return [mean(folds.map((fold) => fold.uarPercent)), mean(folds.map((fold) => fold.warPercent))];
    };
    expect(means('dfew')[0]).toBeCloseTo(63.408, 3);
    expect(means('dfew')[1]).toBeCloseTo(74.428, 3);
    expect(means('mafw')[0]).toBeCloseTo(42.362, 3);
    expect(means('mafw')[1]).toBeCloseTo(55.034, 3);
  });

  it('are those of the fold and of all folds, of test parts alone', () => {
    const titles = (...of: Parameters<typeof publishedFor>) => publishedFor(...of).map(({ title }) => title);
    const base = lgiFormer('base');
    const [of, all] = ['published for MAE-DFER base, fold 2', 'published for MAE-DFER base, all folds'];
    const [videomae, dpcnet] = ['VideoMAE', 'DPCNet (Wang et al., 2022)'].map(
      (name) => `published for ${name}, all folds`,
    );
    expect(titles('dfew', 2, 'test', base)).toEqual([of, all, videomae, dpcnet]);
    expect(titles('dfew', 'all', 'test', base)).toEqual([all, videomae, dpcnet]);
    expect(titles('ravdess', 3, 'test', base)).toEqual([all]);
    expect(titles('ferv39k', 1, 'test', base)).toEqual([
      'published for MAE-DFER base',
      'published for VideoMAE',
      'published for STT (Ma et al., 2022)',
    ]);
    expect(titles('dfew', 1, 'train', base)).toEqual([]);
    expect(titles('csv', 1, 'test', base)).toEqual([]);
    const [fold, total] = publishedFor('dfew', 2, 'test', base);
    expect(fold).toMatchObject({ uarPercent: 61.96, warPercent: 72.49 });
    expect(fold).not.toHaveProperty('classRecallPercent');
    expect(total?.classRecallPercent).toHaveLength(7);
  });

  it('begin with those of the same model, however many heads it has', () => {
    const first = (...of: Parameters<typeof publishedFor>) => publishedFor(...of)[0];
    const small = lgiFormer('small', { heads: 8 });
    expect(first('dfew', 1, 'test', small)).toEqual({
      ...{ title: 'published for MAE-DFER small, fold 1', uarPercent: 61.09, warPercent: 74.03 },
    });
    // No other fold was tried.
    expect(first('dfew', 2, 'test', small)?.title).toBe('published for MAE-DFER base, fold 2');
    expect(first('ferv39k', 1, 'test', lgiFormer('base', { interRegion: false }))).toMatchObject({
      ...{ title: 'published for no inter-region attention', uarPercent: 42.25 },
    });
    expect(first('mafw', 1, 'test', vitBase())).toMatchObject({
      ...{ title: 'published for VideoMAE, all folds', uarPercent: 40.87, warPercent: 53.51 },
    });
    expect(first('dfew', 1, 'test', lgiFormer('base', { depth: 3 }))?.title).toContain(
      'MAE-DFER base, fold 1',
    );
  });

  it('name every model once, with recalls that average to its UAR', () => {
    expect(new Set(PUBLISHED_MODELS.map(({ name }) => name)).size).toBe(PUBLISHED_MODELS.length);
    const results = PUBLISHED_MODELS.flatMap((model) => Object.values(model.results));
    for (const { total, classRecallPercent } of results) {
      if (total && classRecallPercent) expect(mean(classRecallPercent)).toBeCloseTo(total.uarPercent, 1);
    }
  });

  it('of single folds go by their numbers', () => {
    const base = lgiFormer('base');
    expect(publishedFolds('mafw', 'test', base)[5]).toMatchObject({ uarPercent: 41.66, warPercent: 55.27 });
    expect(publishedFolds('mafw', 'all', base)).toEqual({});
    expect(publishedFolds('ravdess', 'test', base)).toEqual({});
  });
});
