// What each study of the paper compares: the rows of its table, the recipes that make them, and what is printed there.
import {
  PAPER_LOSS_WEIGHTS,
  PAPER_TABLES,
  rowOf,
  UserError,
  type ComparedOn,
  type PrintedRecall,
} from '@tubelet/trainer';

/** The data sets that the studies test on: their columns in the paper, and the recipes of fine-tuning. */
export const DATA_SETS = {
  dfew: { title: 'DFEW fold 1', recipe: 'dfew-1' },
  ferv39k: { title: 'FERV39k', recipe: 'ferv39k' },
} as const satisfies Record<string, { readonly title: ComparedOn; readonly recipe: string }>;

export type DataSet = keyof typeof DATA_SETS;
export const DATA_SET_NAMES = Object.keys(DATA_SETS) as DataSet[];

/** The two metrics that the paper prints. */
export const METRICS = ['uar', 'war'] as const;
export type Metric = (typeof METRICS)[number];

/** Videos of a data set, Table 1. */
export const videosOf = (dataSet: DataSet): number =>
  rowOf(PAPER_TABLES[1], ({ dataset }) => dataset.toLowerCase() === dataSet).videos;

/** Parameters of the encoders, in millions: Tables 10 and 3. */
export const encoderParameters: Readonly<Record<string, number>> = {
  ...Object.fromEntries(PAPER_TABLES[10].map(({ size, params }) => [size, params])),
  'vit-base': rowOf(PAPER_TABLES[3], ({ local }) => !local).params,
};

const mark = (isThere: boolean) => (isThere ? 'yes' : 'no');

/** What trains a row. */
interface RowRecipes {
  /** The recipe of its pre-training; null for none. */
  readonly pretraining: string | null;
  /** The epoch of the pre-training whose checkpoint is taken; default: the last. */
  readonly epoch?: number;
  /** What the recipes of its fine-tuning end in. */
  readonly finetuning?: string;
}

export interface StudyRow extends RowRecipes {
  /** The texts of its columns. */
  readonly label: readonly string[];
  readonly printed: Readonly<Record<DataSet, PrintedRecall | null>>;
}

export interface Study {
  readonly title: string;
  readonly columns: readonly string[];
  /** The row from which gaps are taken. */
  readonly reference: number;
  readonly picture?: true;
  readonly rows: readonly StudyRow[];
}

/** A printed row as one of a study. */
function rowFrom(
  printed: Readonly<Partial<Record<ComparedOn, PrintedRecall>>>,
  label: readonly string[],
  recipes: RowRecipes,
): StudyRow {
  const of = (name: DataSet) => printed[DATA_SETS[name].title] ?? null;
  return { label, ...recipes, printed: { dfew: of('dfew'), ferv39k: of('ferv39k') } };
}

/** Recipes of Table 3 by inter-region and local-global attention; the row without regions is the ViT. */
function modulesOf({ interRegion, localGlobal }: { interRegion: boolean; localGlobal: boolean }): string {
  if (interRegion) return localGlobal ? 'base' : 'no-local-global';
  return localGlobal ? 'no-inter-region' : 'local-only';
}

/** The studies by name. */
export const STUDIES: Readonly<Record<string, Study>> = {
  'table-2': {
    title: 'Table 2: epochs of pre-training',
    columns: ['epochs'],
    reference: 0,
    rows: PAPER_TABLES[2].map((row) =>
      rowFrom(
        row,
        [String(row.epochs)],
        row.epochs === 0 ? { pretraining: null } : { pretraining: 'epochs', epoch: row.epochs },
      ),
    ),
  },
  'table-3': {
    title: 'Table 3: modules of a block',
    columns: ['local', 'inter-region', 'local-global'],
    reference: 3,
    rows: PAPER_TABLES[3].map((row) =>
      rowFrom(row, [row.local, row.interRegion, row.localGlobal].map(mark), {
        pretraining: row.local ? modulesOf(row) : 'vit-both',
      }),
    ),
  },
  'table-4': {
    title: 'Table 4: sizes of regions',
    columns: ['region'],
    reference: 2,
    rows: PAPER_TABLES[4].map((row) => {
      const name = row.region.join('-');
      return rowFrom(row, [row.region.join('×')], {
        pretraining: name === '2-5-10' ? 'base' : `region-${name}`,
      });
    }),
  },
  'table-5': {
    title: 'Table 5: tokens that are classified',
    columns: ['tokens'],
    reference: 0,
    rows: PAPER_TABLES[5].map((row) =>
      rowFrom(row, [row.tokens], {
        pretraining: 'base',
        finetuning: row.tokens === 'original' ? '-original-tokens' : '',
      }),
    ),
  },
  'table-10': {
    title: 'Table 10: sizes of the model',
    columns: ['size'],
    reference: 2,
    rows: PAPER_TABLES[10].map((row) => rowFrom(row, [row.size], { pretraining: row.size })),
  },
  'table-11': {
    title: 'Table 11: targets of VideoMAE',
    columns: ['appearance', 'motion'],
    reference: 2,
    rows: PAPER_TABLES[11].map((row) =>
      rowFrom(row, [row.appearance, row.motion].map(mark), {
        pretraining: row.appearance ? (row.motion ? 'vit-both' : 'videomae') : 'vit-motion',
      }),
    ),
  },
  'figure-3': {
    title: 'Figure 3: weight of appearance in the loss',
    columns: ['λ'],
    reference: 2,
    picture: true,
    rows: PAPER_LOSS_WEIGHTS.map((row) =>
      rowFrom(row, [String(row.lossWeight)], {
        pretraining: row.lossWeight === 0.5 ? 'base' : `loss-weight-${row.lossWeight}`,
      }),
    ),
  },
};

/** The study of that name; an error tells the names there are. */
export function studyOf(name: string): Study {
  const study = Object.hasOwn(STUDIES, name) ? STUDIES[name] : undefined;
  if (study) return study;
  throw new UserError(`There is no study ${name}. Name one of ${Object.keys(STUDIES).join(', ')}.`);
}
