import { lgiFormer, vitBase, type EncoderConfig } from '@tubelet/mae-dfer';
import {
  MAE_DFER,
  PAPER_FOLDS,
  PAPER_TABLES,
  rowOf,
  VIDEOMAE_KINETICS,
  VIDEOMAE_VOXCELEB2,
  type ComparedRow,
  type MethodRow,
  type PrintedRecall,
  type PublishedFigures,
} from '@tubelet/trainer';
import { DATASETS, type PublishedName } from '@tubelet/video';

/** What is published for a model on a data set. */
interface PublishedResult {
  /** The mean over its folds; not known for all models. */
  readonly total?: PrintedRecall;
  /** Of each fold, fold 1 first, where there are several and they are known. */
  readonly folds?: readonly PrintedRecall[];
  /** Recall of each class over all folds, in the order of the labels. */
  readonly classRecallPercent?: readonly number[];
}

/** A model of the paper, with its results on the data sets that it was tried on. */
interface PublishedModel {
  readonly name: string;
  /** Absent for models that cannot be built here. */
  readonly encoder?: EncoderConfig;
  readonly results: Readonly<Partial<Record<PublishedName, PublishedResult>>>;
}

/** The tables with the methods of each data set in the wild, and with their recalls by class. */
const WILD = { dfew: [6, 12], ferv39k: [7, 13], mafw: [8, 14] } as const;
const WILD_NAMES = ['dfew', 'ferv39k', 'mafw'] as const;
/** The parts of Table 9. */
const LAB = { 'crema-d': 'CREMA-D', ravdess: 'RAVDESS', enterface05: 'eNTERFACE05' } as const;
const LAB_NAMES = ['crema-d', 'ravdess', 'enterface05'] as const;

/** Recalls of the classes of a data set: the tables write all names small, and some in full. */
function classRecalls(row: MethodRow, name: (typeof WILD_NAMES)[number]): number[] {
  const printed: Readonly<Record<string, string>> = { angry: 'anger' };
  return DATASETS[name].classes.map((title) => {
    const small = title.toLowerCase();
    return row[printed[small] ?? small] as number;
  });
}

/** A method's results on the data sets in the wild. */
function wildResults(method: string): Record<(typeof WILD_NAMES)[number], PublishedResult> {
  const isIt = (row: { readonly method: string }) => row.method === method;
  const resultOn = (name: (typeof WILD_NAMES)[number]): PublishedResult => {
    const [short, detailed] = WILD[name];
    const { uar, war } = rowOf(PAPER_TABLES[short], isIt);
    return {
      total: { uar, war },
      classRecallPercent: classRecalls(rowOf(PAPER_TABLES[detailed], isIt), name),
    };
  };
  return { dfew: resultOn('dfew'), ferv39k: resultOn('ferv39k'), mafw: resultOn('mafw') };
}

/** MAE-DFER base, pre-trained on VoxCeleb2: Tables 6 to 9, and the folds that the authors' page lists. */
function baseResults(): Record<PublishedName, PublishedResult> {
  const { dfew, ferv39k, mafw } = wildResults(MAE_DFER);
  const lab = LAB_NAMES.map((name) => {
    const { uar, war } = rowOf(PAPER_TABLES[9][LAB[name]], ({ method }) => method === MAE_DFER);
    return [name, { total: { uar, war } }] as const;
  });
  return {
    dfew: { ...dfew, folds: PAPER_FOLDS.DFEW },
    ferv39k,
    mafw: { ...mafw, folds: PAPER_FOLDS.MAFW },
    ...(Object.fromEntries(lab) as Record<(typeof LAB_NAMES)[number], PublishedResult>),
  };
}

const BASE: PublishedModel = { name: 'MAE-DFER base', encoder: lgiFormer('base'), results: baseResults() };

/** Of a comparison: fold 1 of DFEW, and FERV39k. */
const compared = (row: ComparedRow) => ({
  dfew: { folds: [row['DFEW fold 1']] },
  ferv39k: { total: row.FERV39k },
});

const comparison = (name: string, encoder: EncoderConfig, row: ComparedRow): PublishedModel => ({
  ...{ name, encoder },
  results: compared(row),
});

/** The ViT by its targets in Table 11. */
const vitWith = (appearance: boolean, motion: boolean) =>
  rowOf(PAPER_TABLES[11], (row) => row.appearance === appearance && row.motion === motion);

function videoMae(): PublishedModel {
  const { dfew, ...others } = wildResults(VIDEOMAE_VOXCELEB2);
  // On FERV39k this row of Table 11 has the figures of VideoMAE in Table 7: it is the same model.
  const folds = [vitWith(true, false)['DFEW fold 1']];
  return { name: 'VideoMAE', encoder: vitBase(), results: { dfew: { ...dfew, folds }, ...others } };
}

const VIDEOMAE = videoMae();

/** Which modules the rows of Table 3 leave out. */
const MODULES = [
  { name: 'local attention only', interRegion: false, localGlobal: false },
  { name: 'no local-global attention', interRegion: true, localGlobal: false },
  { name: 'no inter-region attention', interRegion: false, localGlobal: true },
];

const SMALLER = ['tiny', 'small'] as const;
const isBaseRegion = ({ region }: { readonly region: readonly number[] }) => region.join() === '2,5,10';

/** Tables 3, 4, 10 and 11, and VideoMAE with the weights that its authors publish. */
const OTHER_MODELS: readonly PublishedModel[] = [
  ...SMALLER.map((size) =>
    comparison(
      `MAE-DFER ${size}`,
      lgiFormer(size),
      rowOf(PAPER_TABLES[10], (row) => row.size === size),
    ),
  ),
  ...PAPER_TABLES[4]
    .filter((row) => !isBaseRegion(row))
    .map((row) => {
      const [t, h, w] = row.region as [number, number, number];
      return comparison(`regions of ${t}×${h}×${w}`, lgiFormer('base', { region: [t, h, w] }), row);
    }),
  ...MODULES.map(({ name, interRegion, localGlobal }) =>
    comparison(
      name,
      lgiFormer('base', { interRegion, localGlobal }),
      rowOf(
        PAPER_TABLES[3],
        (row) => row.local && row.interRegion === interRegion && row.localGlobal === localGlobal,
      ),
    ),
  ),
  comparison('the ViT with appearance and motion', vitBase(), vitWith(true, true)),
  {
    name: 'VideoMAE pre-trained on Kinetics-400',
    encoder: vitBase(),
    results: wildResults(VIDEOMAE_KINETICS),
  },
];

/** Letters that tell works of a year apart mean nothing outside of the paper. */
const withoutLetter = (method: string) => method.replace(/(\d{4})[a-z]\)$/, '$1)');

/** The best supervised methods on video alone, by UAR and by WAR where that is another one. */
function bestSupervised(name: PublishedName): PublishedModel[] {
  const rows: readonly (PrintedRecall & { readonly method: string })[] =
    name === 'dfew' || name === 'ferv39k' || name === 'mafw'
      ? PAPER_TABLES[WILD[name][0]].filter(({ group }) => group === 'supervised')
      : PAPER_TABLES[9][LAB[name]].filter((row) => row.modality === 'Video' && row.method !== MAE_DFER);
  const best = (metric: 'uar' | 'war') =>
    rows.reduce((most, row) => ((row[metric] ?? 0) > (most[metric] ?? 0) ? row : most));
  const byUar = best('uar');
  const found = new Set([...(byUar.uar === null ? [] : [byUar]), best('war')]);
  return [...found].map(({ method, uar, war }) => ({
    name: withoutLetter(method),
    results: { [name]: { total: { uar, war } } },
  }));
}

const SUPERVISED = [...WILD_NAMES, ...LAB_NAMES].flatMap(bestSupervised);

/** All models with published results. */
export const PUBLISHED_MODELS: readonly PublishedModel[] = [BASE, VIDEOMAE, ...OTHER_MODELS, ...SUPERVISED];

// How many heads the smaller models have is not published.
const isSameModel = (a: EncoderConfig, b: EncoderConfig) =>
  JSON.stringify({ ...a, heads: 0 }, Object.keys(a).sort()) ===
  JSON.stringify({ ...b, heads: 0 }, Object.keys(b).sort());

function resultOf({ results }: PublishedModel, name: string): PublishedResult | undefined {
  return (results as Readonly<Record<string, PublishedResult | undefined>>)[name];
}

const asFigures = (title: string, { uar, war }: PrintedRecall): PublishedFigures => ({
  ...{ title, uarPercent: uar, warPercent: war },
});

/** The published figures of a model: of a fold where it is known, and of all folds. */
function figuresOf(model: PublishedModel, name: string, fold: number | 'all'): readonly PublishedFigures[] {
  const { total, folds, classRecallPercent } = resultOf(model, name) ?? {};
  const title = `published for ${model.name}`;
  const ofFold = fold === 'all' ? undefined : folds?.[fold - 1];
  const ofAll = name === 'ferv39k' ? title : `${title}, all folds`;
  return [
    ...(ofFold ? [asFigures(`${title}, fold ${fold}`, ofFold)] : []),
    ...(total ? [{ ...asFigures(ofAll, total), classRecallPercent }] : []),
  ];
}

/**
 * The published results to hold an evaluation against: those of the same model where it is one of the paper's, of its
 * fold and of all folds; then those of MAE-DFER base and VideoMAE, and the best supervised ones. None for other parts
 * than the test part, and for data sets without a publication.
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
  const same = sameModels(encoder);
  const others = [BASE, VIDEOMAE, ...SUPERVISED].filter((model) => !same.includes(model));
  return [...same, ...others].flatMap((model) => figuresOf(model, name, fold));
}

/** The paper's models with this encoder: of a ViT there are several, pre-trained in different ways. */
function sameModels(encoder: EncoderConfig): readonly PublishedModel[] {
  return PUBLISHED_MODELS.filter((model) => model.encoder && isSameModel(model.encoder, encoder));
}

/**
 * The published results of the single folds by their numbers, where they are known: of the same model, or of MAE-DFER
 * base where the paper does not have it. See {@link publishedFor}.
 */
export function publishedFolds(
  name: string,
  part: string,
  encoder: EncoderConfig,
): Readonly<Record<number, PublishedFigures>> {
  const model = sameModels(encoder)[0] ?? BASE;
  const folds = part === 'test' ? (resultOf(model, name)?.folds ?? []) : [];
  const title = `published for ${model.name}`;
  return Object.fromEntries(folds.map((fold, i) => [i + 1, asFigures(`${title}, fold ${i + 1}`, fold)]));
}
