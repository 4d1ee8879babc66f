/** The printed figures of Sun et al. (2023): the one place from which every published figure that is shown comes. */
import tables from './paper-tables.json' with { type: 'json' };

/** Unweighted and weighted average recall in per cent as they are printed; null where one is not given. */
export interface PrintedRecall {
  readonly uar: number | null;
  readonly war: number;
}

/** The data sets on which Tables 2 to 5, 10 and 11 compare, by their columns. */
export const COMPARED_ON = ['DFEW fold 1', 'FERV39k'] as const;
/** One of `COMPARED_ON`. */
export type ComparedOn = (typeof COMPARED_ON)[number];

/** What a row of a comparison has on each of its data sets. */
export type ComparedRow = Readonly<Record<ComparedOn, { readonly uar: number; readonly war: number }>>;

/** Parameters in millions and multiply-accumulates in 10⁹, null where they are not given. */
interface PrintedSize {
  readonly params: number | null;
  readonly flops: number | null;
}

/** A row of Tables 6 to 8, and of 12 to 14, which have the recall of each class beside. */
export interface MethodRow extends PrintedRecall, PrintedSize {
  readonly method: string;
  readonly group: string | null;
  readonly [className: string]: string | number | null;
}

/** A row of Table 9. */
export interface LabSetRow extends PrintedRecall {
  readonly method: string;
  readonly modality: string;
}

/** Rows of the tables as they are printed, by the numbers of the tables. */
export interface PaperTables {
  readonly 1: readonly { readonly dataset: string; readonly videos: number; readonly classes: number }[];
  readonly 2: readonly ({ readonly epochs: number } & ComparedRow)[];
  readonly 3: readonly ({
    readonly local: boolean;
    readonly interRegion: boolean;
    readonly localGlobal: boolean;
    readonly params: number;
    readonly flops: number;
  } & ComparedRow)[];
  readonly 4: readonly ({
    readonly region: readonly number[];
    readonly params: number;
    readonly flops: number;
  } & ComparedRow)[];
  readonly 5: readonly ({ readonly tokens: string } & ComparedRow)[];
  readonly 6: readonly MethodRow[];
  readonly 7: readonly MethodRow[];
  readonly 8: readonly MethodRow[];
  readonly 9: Readonly<Record<'CREMA-D' | 'RAVDESS' | 'eNTERFACE05', readonly LabSetRow[]>>;
  readonly 10: readonly ({
    readonly size: string;
    readonly dim: number;
    readonly params: number;
    readonly flops: number;
  } & ComparedRow)[];
  readonly 11: readonly ({ readonly appearance: boolean; readonly motion: boolean } & ComparedRow)[];
  readonly 12: readonly MethodRow[];
  readonly 13: readonly MethodRow[];
  readonly 14: readonly MethodRow[];
}

/** Tables of the paper, as printed. */
export const PAPER_TABLES: PaperTables = tables.tables as PaperTables;

/** The points of Figure 3: the weight λ of appearance in the loss. */
export const PAPER_LOSS_WEIGHTS: readonly ({ readonly lossWeight: number } & Readonly<
  Partial<Record<ComparedOn, PrintedRecall>>
>)[] = tables.lossWeights;

/**
 * Of MAE-DFER base, as the authors' page lists them, fold 1 first. Those of MAFW are of a second training: their mean is
 * 0.7 above the paper's.
 */
export const PAPER_FOLDS: Readonly<Record<'DFEW' | 'MAFW', readonly PrintedRecall[]>> = tables.folds;

/** What the rows of MAE-DFER base and of VideoMAE are called in Tables 6 to 9 and 12 to 14. */
export const MAE_DFER = 'MAE-DFER (ours)';
/** The row of VideoMAE pre-trained on VoxCeleb2, by its name in the tables. */
export const VIDEOMAE_VOXCELEB2 = 'VideoMAE (Tong et al., 2022) [pre-trained on VoxCeleb2]';
/** The row of VideoMAE pre-trained on Kinetics-400, by its name in the tables. */
export const VIDEOMAE_KINETICS = 'VideoMAE (Tong et al., 2022)';

/** The only row of a table that fits; throws `RangeError` where there is none, or several. */
export function rowOf<Row>(rows: readonly Row[], fits: (row: Row) => boolean): Row {
  const [row, ...others] = rows.filter(fits);
  if (row === undefined || others.length > 0) {
    throw new RangeError(`${others.length + (row ? 1 : 0)} rows of the paper's table fit; one must`);
  }
  return row;
}
