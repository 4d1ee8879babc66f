import type { PublishedFigures } from '@tubelet/trainer';
import type { PublishedName } from '@tubelet/video';

/** Unweighted and weighted average recall, in per cent as they are printed. */
interface PublishedRecall {
  readonly uarPercent: number;
  readonly warPercent: number;
}

/** What is published for a model on a data set. */
interface PublishedResult {
  /** The mean over its folds. */
  readonly total: PublishedRecall;
  /** Of each fold, fold 1 first, where there are several and they are known. */
  readonly folds?: readonly PublishedRecall[];
  /** Recall of each class over all folds, in the order of the labels. */
  readonly classRecallPercent?: readonly number[];
}

const recall = (uarPercent: number, warPercent: number): PublishedRecall => ({ uarPercent, warPercent });

/**
 * Results of MAE-DFER base, pre-trained on VoxCeleb2, on the test parts with two clips a video: tables 6 to 9 of Sun et
 * al. (2023), and the folds that the authors' page lists. The folds of MAFW there are of a second training: their mean
 * is 0.7 above the paper's.
 */
export const PUBLISHED_RESULTS: Readonly<Record<PublishedName, PublishedResult>> = {
  dfew: {
    total: recall(63.41, 74.43),
    folds: [
      recall(62.59, 74.88),
      recall(61.96, 72.49),
      recall(64.0, 74.91),
      recall(63.07, 74.05),
      recall(65.42, 75.81),
    ],
    classRecallPercent: [92.92, 77.46, 74.56, 76.94, 60.99, 18.62, 42.35],
  },
  ferv39k: {
    total: recall(43.12, 52.07),
    classRecallPercent: [73.05, 53.98, 59.14, 50.44, 30.09, 17.99, 17.17],
  },
  mafw: {
    total: recall(41.62, 54.31),
    folds: [
      recall(36.11, 46.71),
      recall(42.37, 54.82),
      recall(46.25, 58.87),
      recall(45.42, 59.5),
      recall(41.66, 55.27),
    ],
    classRecallPercent: [67.77, 25.35, 34.88, 77.13, 58.26, 71.09, 57.46, 8.9, 33.08, 11.83, 12.09],
  },
  'crema-d': { total: recall(77.33, 77.38) },
  ravdess: { total: recall(75.91, 75.56) },
  enterface05: { total: recall(61.67, 61.64) },
};

function resultOf(name: string): PublishedResult | undefined {
  return (PUBLISHED_RESULTS as Readonly<Record<string, PublishedResult>>)[name];
}

const TITLE = 'published for MAE-DFER base';

/**
 * The published results to hold an evaluation against: that of its fold where it is known, and that of all folds. None
 * for other parts than the test part, and for data sets without a publication.
 *
 * @param name of the data set, as `--data` takes it
 * @param fold counted from 1; `all` for a cross-validation
 */
export function publishedFor(name: string, fold: number | 'all', part: string): readonly PublishedFigures[] {
  const result = resultOf(name);
  if (result === undefined || part !== 'test') return [];
  const { total, folds, classRecallPercent } = result;
  const hasFolds = name !== 'ferv39k';
  const ofFold = fold === 'all' ? undefined : folds?.[fold - 1];
  return [
    ...(ofFold ? [{ title: `${TITLE}, fold ${fold}`, ...ofFold }] : []),
    { title: hasFolds ? `${TITLE}, all folds` : TITLE, ...total, classRecallPercent },
  ];
}

/** The published results of the single folds by their numbers, where they are known; see {@link publishedFor}. */
export function publishedFolds(name: string, part: string): Readonly<Record<number, PublishedFigures>> {
  const folds = part === 'test' ? (resultOf(name)?.folds ?? []) : [];
  return Object.fromEntries(folds.map((fold, i) => [i + 1, { title: `${TITLE}, fold ${i + 1}`, ...fold }]));
}
