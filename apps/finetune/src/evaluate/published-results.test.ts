import { describe, expect, it } from 'vitest';
import { lgiFormer, vitBase, type EncoderConfig } from '@tubelet/mae-dfer';
import { PAPER_FOLDS, PAPER_TABLES } from '@tubelet/trainer';
import { DATASETS, PUBLISHED_NAMES } from '@tubelet/video';
import { PUBLISHED_MODELS, publishedFolds, publishedFor } from './published-results.js';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const titles = (...of: Parameters<typeof publishedFor>) => publishedFor(...of).map(({ title }) => title);
/** The published results of a model on a fold, by the model's name. */
function shown(name: string, fold: number | 'all', encoder: EncoderConfig, model: string) {
  const title = new RegExp(`^published for ${model.replace(/[()+.]/g, '\\$&')}(, (fold \\d|all folds))?$`);
  return publishedFor(name, fold, 'test', encoder).filter((one) => title.test(one.title));
}
const recall = ({ uar, war }: { uar: number | null; war: number }) => ({ uarPercent: uar, warPercent: war });

describe('published results', () => {
  it('are each those of the model’s row in the paper’s table', () => {
    const { 3: modules, 4: regions, 6: dfew, 7: ferv39k, 8: mafw, 9: lab, 10: sizes, 11: vit } = PAPER_TABLES;
    const rowsByEncoder: [EncoderConfig, string, (typeof regions)[number] | (typeof vit)[number]][] = [
      [lgiFormer('tiny'), 'MAE-DFER tiny', sizes[0]! as never],
      [lgiFormer('small'), 'MAE-DFER small', sizes[1]! as never],
      [lgiFormer('base', { region: [1, 5, 10] }), 'regions of 1×5×10', regions[0]!],
      [lgiFormer('base', { region: [2, 2, 10] }), 'regions of 2×2×10', regions[1]!],
      [lgiFormer('base', { region: [2, 10, 10] }), 'regions of 2×10×10', regions[3]!],
      [lgiFormer('base', { region: [4, 5, 10] }), 'regions of 4×5×10', regions[4]!],
      [
        lgiFormer('base', { interRegion: false, localGlobal: false }),
        'local attention only',
        modules[0]! as never,
      ],
      [lgiFormer('base', { localGlobal: false }), 'no local-global attention', modules[1]! as never],
      [lgiFormer('base', { interRegion: false }), 'no inter-region attention', modules[2]! as never],
      [vitBase(), 'the ViT with appearance and motion', vit[2]!],
    ];
    for (const [encoder, name, row] of rowsByEncoder) {
      expect(shown('dfew', 1, encoder, name), name).toEqual([
        { title: `published for ${name}, fold 1`, ...recall(row['DFEW fold 1']) },
      ]);
      expect(shown('ferv39k', 1, encoder, name), name).toEqual([
        { title: `published for ${name}`, ...recall(row.FERV39k) },
      ]);
    }
    const last = (rows: readonly { uar: number | null; war: number }[], back = 1) => recall(rows.at(-back)!);
    const base = lgiFormer('base');
    for (const [name, rows] of [
      ['dfew', dfew],
      ['ferv39k', ferv39k],
      ['mafw', mafw],
    ] as const) {
      expect(shown(name, 'all', base, 'MAE-DFER base')).toMatchObject([last(rows)]);
      expect(shown(name, 'all', base, 'VideoMAE')).toMatchObject([last(rows, 2)]);
      expect(shown(name, 'all', vitBase(), 'VideoMAE pre-trained on Kinetics-400')).toMatchObject([
        last(rows, 3),
      ]);
    }
    expect(shown('crema-d', 'all', base, 'MAE-DFER base')).toMatchObject([last(lab['CREMA-D'])]);
    expect(shown('ravdess', 'all', base, 'MAE-DFER base')).toMatchObject([last(lab.RAVDESS)]);
    expect(shown('enterface05', 'all', base, 'MAE-DFER base')).toMatchObject([last(lab.eNTERFACE05)]);
  });

  it('name the best supervised methods by UAR and by WAR', () => {
    const others = (name: string) =>
      publishedFor(name, 'all', 'test', lgiFormer('base'))
        .filter(({ title }) => !/MAE/.test(title))
        .map(({ title, uarPercent, warPercent }) => [
          title.replace('published for ', '').replace(', all folds', ''),
          uarPercent,
          warPercent,
        ]);
    expect(others('dfew')).toEqual([
      ['DPCNet (Wang et al., 2022)', 57.11, 66.32],
      ['IAL (Li et al., 2023)', 55.71, 69.24],
    ]);
    expect(others('ferv39k')).toEqual([
      ['STT (Ma et al., 2022)', 37.76, 48.11],
      ['IAL (Li et al., 2023)', 35.82, 48.54],
    ]);
    expect(others('mafw')).toEqual([['T-ESFL (Liu et al., 2022)', 33.28, 48.18]]);
    // No UAR is printed for methods on video alone.
    expect(others('ravdess')).toEqual([['3D ResNeXt-50 (Su et al., 2020)', null, 62.99]]);
    expect(others('crema-d')).toHaveLength(2);
  });

  it.each(PUBLISHED_NAMES)('of %s fit its protocol', (name) => {
    const { classes, folds, title, published } = DATASETS[name];
    for (const { results } of PUBLISHED_MODELS) {
      const { folds: theirs = [], classRecallPercent, total } = results[name] ?? {};
      expect(theirs.length).toBeLessThanOrEqual(folds);
      if (!classRecallPercent) continue;
      expect(classRecallPercent).toHaveLength(classes.length);
      expect(mean(classRecallPercent)).toBeCloseTo(total!.uar!, 0);
    }
    const row = PAPER_TABLES[1].find(({ dataset }) => dataset === title);
    expect(row).toMatchObject({ videos: published.total, classes: classes.length });
  });

  it('of DFEW’s folds average to its total, and MAFW’s to what their second training gave', () => {
    const means = (name: 'DFEW' | 'MAFW') => [
      mean(PAPER_FOLDS[name].map(({ uar }) => uar!)),
      mean(PAPER_FOLDS[name].map(({ war }) => war)),
    ];
    expect(means('DFEW')[0]).toBeCloseTo(63.408, 3);
    expect(means('DFEW')[1]).toBeCloseTo(74.428, 3);
    expect(means('MAFW')[0]).toBeCloseTo(42.362, 3);
    expect(means('MAFW')[1]).toBeCloseTo(55.034, 3);
  });

  it('are those of the fold and of all folds, of test parts alone', () => {
    const base = lgiFormer('base');
    expect(titles('dfew', 2, 'test', base).slice(0, 3)).toEqual([
      'published for MAE-DFER base, fold 2',
      'published for MAE-DFER base, all folds',
      'published for VideoMAE, all folds',
    ]);
    expect(titles('dfew', 1, 'test', base)).toContain('published for VideoMAE, fold 1');
    expect(titles('dfew', 'all', 'test', base)[0]).toBe('published for MAE-DFER base, all folds');
    expect(titles('ferv39k', 1, 'test', base)[0]).toBe('published for MAE-DFER base');
    expect(titles('dfew', 1, 'train', base)).toEqual([]);
    expect(titles('csv', 1, 'test', base)).toEqual([]);
    const [fold, total] = publishedFor('dfew', 2, 'test', base);
    expect(fold).not.toHaveProperty('classRecallPercent');
    expect(total?.classRecallPercent).toHaveLength(7);
  });

  it('begin with those of the same model, however many heads it has', () => {
    expect(titles('dfew', 1, 'test', lgiFormer('small', { heads: 8 }))[0]).toBe(
      'published for MAE-DFER small, fold 1',
    );
    // No other fold was tried.
    expect(titles('dfew', 2, 'test', lgiFormer('small'))[0]).toBe('published for MAE-DFER base, fold 2');
    expect(titles('dfew', 1, 'test', lgiFormer('base', { depth: 3 }))[0]).toContain('MAE-DFER base, fold 1');
    expect(titles('dfew', 'all', 'test', vitBase()).slice(0, 3)).toEqual([
      'published for VideoMAE, all folds',
      'published for VideoMAE pre-trained on Kinetics-400, all folds',
      'published for MAE-DFER base, all folds',
    ]);
  });

  it('of single folds go by their numbers', () => {
    const base = lgiFormer('base');
    expect(publishedFolds('mafw', 'test', base)[5]).toMatchObject(recall(PAPER_FOLDS.MAFW[4]!));
    expect(publishedFolds('mafw', 'all', base)).toEqual({});
    expect(publishedFolds('ravdess', 'test', base)).toEqual({});
  });
});
