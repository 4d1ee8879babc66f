// What each study of the paper compares: the rows of its table, the recipes that make them, and what is printed there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';

const paper = JSON.parse(
  readFileSync(join(root, 'packages', 'trainer', 'src', 'paper', 'paper-tables.json'), 'utf8'),
);

/** The data sets that the studies test on: their columns in the paper, and the recipes of fine-tuning. */
export const DATA_SETS = {
  dfew: { title: 'DFEW fold 1', recipe: 'dfew-1' },
  ferv39k: { title: 'FERV39k', recipe: 'ferv39k' },
};

/** Videos of a data set, Table 1. */
export const videosOf = (dataSet) =>
  paper.tables[1].find(({ dataset }) => dataset.toLowerCase() === dataSet).videos;

/** Parameters of the encoders, in millions: Tables 10 and 3. */
export const encoderParameters = {
  ...Object.fromEntries(paper.tables[10].map(({ size, params }) => [size, params])),
  'vit-base': paper.tables[3].find(({ local }) => !local).params,
};

const mark = (isThere) => (isThere ? 'yes' : 'no');

/** A printed row as one of a study. */
const rowFrom = (printed, label, recipes) => ({
  label,
  ...recipes,
  printed: Object.fromEntries(
    Object.entries(DATA_SETS).map(([name, { title }]) => [name, printed[title] ?? null]),
  ),
});

/** Recipes of Table 3 by inter-region and local-global attention; the row without regions is the ViT. */
const MODULES = [
  ['local-only', 'no-inter-region'],
  ['no-local-global', 'base'],
];

/**
 * The studies by name. A row has the texts of its columns, the recipe of its pre-training (null for none) with the epoch
 * whose checkpoint is taken where it is not the last, what the recipes of its fine-tuning end in, and the printed
 * recalls. Gaps are taken from the row of `reference`.
 */
export const STUDIES = {
  'table-2': {
    title: 'Table 2: epochs of pre-training',
    columns: ['epochs'],
    reference: 0,
    rows: paper.tables[2].map((row) =>
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
    rows: paper.tables[3].map((row) =>
      rowFrom(row, [row.local, row.interRegion, row.localGlobal].map(mark), {
        pretraining: row.local ? MODULES[Number(row.interRegion)][Number(row.localGlobal)] : 'vit-both',
      }),
    ),
  },
  'table-4': {
    title: 'Table 4: sizes of regions',
    columns: ['region'],
    reference: 2,
    rows: paper.tables[4].map((row) => {
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
    rows: paper.tables[5].map((row) =>
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
    rows: paper.tables[10].map((row) => rowFrom(row, [row.size], { pretraining: row.size })),
  },
  'table-11': {
    title: 'Table 11: targets of VideoMAE',
    columns: ['appearance', 'motion'],
    reference: 2,
    rows: paper.tables[11].map((row) =>
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
    rows: paper.lossWeights.map((row) =>
      rowFrom(row, [String(row.lossWeight)], {
        pretraining: row.lossWeight === 0.5 ? 'base' : `loss-weight-${row.lossWeight}`,
      }),
    ),
  },
};

/** The study of that name; an error tells the names there are. */
export function studyOf(name) {
  const names = Object.keys(STUDIES).join(', ');
  if (name === undefined) throw new Error(`Name a study: ${names}.`);
  if (!Object.hasOwn(STUDIES, name)) throw new Error(`There is no study ${name}. Name one of ${names}.`);
  return STUDIES[name];
}
