import { lgiFormer, vitBase, type EncoderConfig, type LgiFormerConfig } from '@tubelet/mae-dfer';
import type { PublishedFigures } from '@tubelet/trainer';
import type { PublishedName } from '@tubelet/video';

/** Unweighted and weighted average recall, in per cent as they are printed. */
interface PublishedRecall {
  readonly uarPercent: number;
  readonly warPercent: number;
}

/** What is published for a model on a data set. */
interface PublishedResult {
  /** The mean over its folds; not known for all models. */
  readonly total?: PublishedRecall;
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
export const BASE_RESULTS: Readonly<
  Record<PublishedName, PublishedResult & { readonly total: PublishedRecall }>
> = {
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

/** A model of the paper, with its results on the data sets that it was tried on. */
interface PublishedModel {
  readonly name: string;
  /** Absent for models that cannot be built here. */
  readonly encoder?: EncoderConfig;
  readonly results: Readonly<Partial<Record<PublishedName, PublishedResult>>>;
}

/** Of an ablation: fold 1 of DFEW, and FERV39k. */
const ablation = (
  name: string,
  encoder: LgiFormerConfig,
  dfew: PublishedRecall,
  ferv39k: PublishedRecall,
): PublishedModel => ({ name, encoder, results: { dfew: { folds: [dfew] }, ferv39k: { total: ferv39k } } });

const region = (...extents: [number, number, number]) => lgiFormer('base', { region: extents });

const BASE: PublishedModel = { name: 'MAE-DFER base', encoder: lgiFormer('base'), results: BASE_RESULTS };

/** Tables 6 to 8, pre-trained on VoxCeleb2; recalls by class from tables 12 to 14. */
const VIDEOMAE: PublishedModel = {
  name: 'VideoMAE',
  encoder: vitBase(),
  results: {
    dfew: {
      total: recall(63.6, 74.6),
      classRecallPercent: [93.09, 78.78, 71.75, 78.74, 63.44, 17.93, 41.46],
    },
    ferv39k: {
      total: recall(43.33, 52.39),
      classRecallPercent: [72.91, 54.34, 59.5, 51.65, 29.47, 17.77, 17.63],
    },
    mafw: {
      total: recall(40.87, 53.51),
      classRecallPercent: [65.9, 23.63, 34.88, 76.73, 55.62, 73.47, 54.57, 9.75, 32.75, 10.69, 11.54],
    },
  },
};

/** Tables 3, 4 and 10. */
const OTHER_MODELS: readonly PublishedModel[] = [
  ablation('MAE-DFER tiny', lgiFormer('tiny'), recall(59.9, 73.3), recall(41.2, 51.55)),
  ablation('MAE-DFER small', lgiFormer('small'), recall(61.09, 74.03), recall(42.04, 52.24)),
  ablation('regions of 1×5×10', region(1, 5, 10), recall(62.36, 74.33), recall(42.71, 52.26)),
  ablation('regions of 2×2×10', region(2, 2, 10), recall(61.07, 74.87), recall(42.24, 52.25)),
  ablation('regions of 2×10×10', region(2, 10, 10), recall(61.27, 74.19), recall(42.71, 52.02)),
  ablation('regions of 4×5×10', region(4, 5, 10), recall(62.36, 74.67), recall(43.09, 52.41)),
  ablation(
    'local attention only',
    lgiFormer('base', { interRegion: false, localGlobal: false }),
    recall(59.66, 72.0),
    recall(40.94, 50.88),
  ),
  ablation(
    'no local-global attention',
    lgiFormer('base', { localGlobal: false }),
    recall(60.43, 73.69),
    recall(42.15, 52.04),
  ),
  ablation(
    'no inter-region attention',
    lgiFormer('base', { interRegion: false }),
    recall(60.98, 74.58),
    recall(42.25, 52.01),
  ),
];

/** By UAR the best supervised results on video alone in tables 6 to 9, where a UAR is given. */
const SUPERVISED: readonly PublishedModel[] = [
  { name: 'DPCNet (Wang et al., 2022)', results: { dfew: { total: recall(57.11, 66.32) } } },
  { name: 'STT (Ma et al., 2022)', results: { ferv39k: { total: recall(37.76, 48.11) } } },
  { name: 'T-ESFL (Liu et al., 2022)', results: { mafw: { total: recall(33.28, 48.18) } } },
  { name: 'Lei and Cao (2023)', results: { 'crema-d': { total: recall(64.68, 64.76) } } },
];

/** All models with published results. */
export const PUBLISHED_MODELS: readonly PublishedModel[] = [BASE, VIDEOMAE, ...OTHER_MODELS, ...SUPERVISED];

// How many heads the smaller models have is not published.
const isSameModel = (a: EncoderConfig, b: EncoderConfig) =>
  JSON.stringify({ ...a, heads: 0 }, Object.keys(a).sort()) ===
  JSON.stringify({ ...b, heads: 0 }, Object.keys(b).sort());

function resultOf({ results }: PublishedModel, name: string): PublishedResult | undefined {
  return (results as Readonly<Record<string, PublishedResult | undefined>>)[name];
}

/** The published figures of a model: of a fold where it is known, and of all folds. */
function figuresOf(model: PublishedModel, name: string, fold: number | 'all'): readonly PublishedFigures[] {
  const { total, folds, classRecallPercent } = resultOf(model, name) ?? {};
  const title = `published for ${model.name}`;
  const ofFold = fold === 'all' ? undefined : folds?.[fold - 1];
  const ofAll = name === 'ferv39k' ? title : `${title}, all folds`;
  return [
    ...(ofFold ? [{ title: `${title}, fold ${fold}`, ...ofFold }] : []),
    ...(total ? [{ title: ofAll, ...total, classRecallPercent }] : []),
  ];
}

/**
 * The published results to hold an evaluation against: those of the same model where it is one of the paper's, of its fold
 * and of all folds; then those of MAE-DFER base and VideoMAE, and the best supervised ones. None for other parts than the
 * test part, and for data sets without a publication.
 *
 * @param name of the data set, as `--data` takes it
 * @param fold counted from 1; `all` for a cross-validation
 */
export function publishedFor(
  name: string,
  fold: number | 'all',
  part: string,
  encoder: EncoderConfig,
): readonly PublishedFigures[] {
  if (part !== 'test') return [];
  const same = sameModel(encoder);
  const others = [BASE, VIDEOMAE, ...SUPERVISED].filter((model) => model !== same);
  return [...(same ? [same] : []), ...others].flatMap((model) => figuresOf(model, name, fold));
}

function sameModel(encoder: EncoderConfig): PublishedModel | undefined {
  return PUBLISHED_MODELS.find((model) => model.encoder && isSameModel(model.encoder, encoder));
}

/**
 * The published results of the single folds by their numbers, where they are known: of the same model, or of MAE-DFER base
 * where the paper does not have it. See {@link publishedFor}.
 */
export function publishedFolds(
  name: string,
  part: string,
  encoder: EncoderConfig,
): Readonly<Record<number, PublishedFigures>> {
  const model = sameModel(encoder) ?? BASE;
  const folds = part === 'test' ? (resultOf(model, name)?.folds ?? []) : [];
  const title = `published for ${model.name}`;
  return Object.fromEntries(folds.map((fold, i) => [i + 1, { title: `${title}, fold ${i + 1}`, ...fold }]));
}
