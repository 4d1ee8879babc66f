// The table that a study ends in: our figures, the printed ones, and how they differ.
import { METRICS, type DataSet, type Metric, type Study } from './studies.js';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard deviation of a sample; null for a single value. */
function deviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

/** Over seeds of fine-tuning. */
interface Spread {
  readonly mean: number;
  /** Null of one seed. */
  readonly deviation: number | null;
  readonly seeds: number;
}

/** In per cent; null where there is none. */
export interface Figure {
  readonly ours: Spread | null;
  /** To the row of reference, within each seed. */
  readonly gap: Spread | null;
  readonly printed: number | null;
  readonly printedGap: number | null;
  /** Of ours to the printed one. */
  readonly difference: number | null;
}

export interface RowFigures {
  readonly label: readonly string[];
  /** By the name of the data set. */
  readonly dataSets: Readonly<Record<string, Readonly<Record<Metric, Figure>>>>;
}

/** Recalls of a run's test as shares, and of how many videos. */
export type RunResult = Readonly<Record<Metric | 'videos', number>>;

/** Results of a row by data set, seed by seed; null where a run is not finished. */
export type RowResults = Readonly<Record<string, readonly (RunResult | null)[]>>;

export interface StudyTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Over the seeds that there are; null where there is none. */
function over(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : { mean: mean(known), deviation: deviation(known), seeds: known.length };
}

/**
 * The figures of a study, in per cent.
 *
 * @param results of each row
 * @param printedFor the data set of the printed figures where the results are of drawn faces: there
 *   is no difference then, which would be one of data
 */
export function studyFigures(
  study: Pick<Study, 'rows' | 'reference'>,
  results: readonly RowResults[],
  printedFor: DataSet | undefined,
): RowFigures[] {
  const valuesOf = (row: number, name: string, metric: Metric) =>
    results[row]![name]!.map((result) => (result === null ? null : 100 * result[metric]));
  const figure = (row: number, name: string, metric: Metric): Figure => {
    const ours = valuesOf(row, name, metric);
    const base = valuesOf(study.reference, name, metric);
    const printedOf = (of: number) =>
      study.rows[of]!.printed[printedFor ?? (name as DataSet)]?.[metric] ?? null;
    const [printed, printedBase] = [printedOf(row), printedOf(study.reference)];
    const isReference = row === study.reference;
    const gaps = ours.map((value, seed) =>
      value === null || base[seed] === null ? null : value - base[seed]!,
    );
    const all = over(ours);
    return {
      ours: all,
      gap: isReference ? null : over(gaps),
      printed,
      printedGap: isReference || printed === null || printedBase === null ? null : printed - printedBase,
      difference: printedFor !== undefined || all === null || printed === null ? null : all.mean - printed,
    };
  };
  return study.rows.map(({ label }, row) => ({
    label,
    dataSets: Object.fromEntries(
      Object.keys(results[row]!).map((name) => [
        name,
        { uar: figure(row, name, 'uar'), war: figure(row, name, 'war') },
      ]),
    ),
  }));
}

/**
 * How many videos the runs of each data set were tested on: the numbers that there are, which differ where videos were
 * left out of a test.
 */
export function testVideos(results: readonly RowResults[]): Record<string, number[]> {
  return Object.fromEntries(
    Object.keys(results[0] ?? {}).map((name) => {
      const counts = results.flatMap((row) => row[name]!).flatMap((result) => result?.videos ?? []);
      return [name, [...new Set(counts)].sort((a, b) => a - b)];
    }),
  );
}

const number = (value: number | null) => (value === null ? '–' : value.toFixed(2));
const signed = (value: number | null) =>
  value === null ? '–' : `${value > 0 ? '+' : ''}${value.toFixed(2)}`;
const spread = (figure: Spread | null, show: (value: number) => string) => {
  if (figure === null) return '–';
  return figure.deviation === null
    ? show(figure.mean)
    : `${show(figure.mean)} ± ${figure.deviation.toFixed(2)}`;
};

/** The cells of the table of a data set. */
export function studyTable(
  study: Pick<Study, 'columns'>,
  figures: readonly RowFigures[],
  name: string,
  isDrawn: boolean,
): StudyTable {
  const head = METRICS.flatMap((metric) => {
    const title = metric.toUpperCase();
    return [title, 'gap', 'printed', 'printed gap', ...(isDrawn ? [] : ['difference'])];
  });
  const rows = figures.map(({ label, dataSets }) => [
    ...label,
    ...METRICS.flatMap((metric) => {
      const { ours, gap, printed, printedGap, difference } = dataSets[name]![metric];
      const cells = [spread(ours, number), spread(gap, signed), number(printed), signed(printedGap)];
      return isDrawn ? cells : [...cells, signed(difference)];
    }),
  ]);
  return { head: [...study.columns, ...head], rows };
}

/** A table in Markdown, figures to the right. */
export function markdownTable({ head, rows }: StudyTable, leftColumns: number): string {
  const widths = head.map((text, column) =>
    Math.max(3, text.length, ...rows.map((row) => row[column]!.length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells
      .map((cell, column) =>
        column < leftColumns ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column < leftColumns ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** Of the seven classes that are drawn, in per cent. */
const GUESSING = 100 / 7;

/** What a reader of the table must know. */
export function notesOf(
  study: Study,
  {
    isDrawn,
    seeds,
    unfinished,
    tested,
  }: {
    readonly isDrawn: boolean;
    readonly seeds: number;
    readonly unfinished: number;
    /** By the title of the data set, as {@link testVideos} gives them. */
    readonly tested: Readonly<Record<string, readonly number[]>>;
  },
): string[] {
  const sizes = Object.entries(tested)
    .filter(([, counts]) => counts.length > 0)
    .map(([title, counts]) => `${counts.map((count) => count.toLocaleString('en')).join(' or ')} (${title})`);
  const reference = study.columns.map((column, i) => `${column} ${study.rows[study.reference]!.label[i]}`);
  return [
    ...(isDrawn
      ? [
          'DRAWN FACES: our figures are of schematic faces and a model of 0.3 million parameters. They show that the path ' +
            'works and say nothing about faces of people; the printed ones (DFEW fold 1) stand there for the order of the rows. ' +
            `Guessing gives ${GUESSING.toFixed(2)}.`,
        ]
      : []),
    `In per cent. Gap: to the row ${reference.join(', ')}${seeds > 1 ? ', within each seed' : ''}.` +
      (seeds > 1
        ? ` Mean ± standard deviation over ${seeds} seeds of fine-tuning; pre-training is done once.`
        : ''),
    ...(sizes.length > 0 ? [`Videos of a test: ${sizes.join(', ')}.`] : []),
    ...(study.picture
      ? [
          'The paper prints Figure 3 without figures: those for 0 and 1 follow from the differences to 0.5 that its text gives.',
        ]
      : []),
    ...(unfinished > 0 ? [`${unfinished} runs are not finished: their figures are left out (–).`] : []),
  ];
}
