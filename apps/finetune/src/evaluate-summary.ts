import type { ClassificationMetrics } from '@tubelet/trainer';
import type { Comparison } from './published-results.js';

const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? '–' : `${(100 * share).toFixed(2)} %`;
const printed = (value: number | undefined): string => (value === undefined ? '–' : `${value.toFixed(2)} %`);

/** Columns of text, the first aligned to the left and the others to the right. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)),
    [],
  );
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
    )
    .join('\n');
}

/** UAR, WAR and their companions, beside published figures where there are some. */
export function formatMetrics(
  { uar, war, top5, weightedF1, macroF1 }: ClassificationMetrics,
  published?: Comparison,
): string {
  const rows: [string, string, number?][] = [
    ['UAR', percent(uar), published?.uarPercent],
    ['WAR', percent(war), published?.warPercent],
    ...(top5 === undefined ? [] : [['among the first five', percent(top5)] satisfies [string, string]]),
    ['weighted F1', percent(weightedF1)],
    ['macro F1', percent(macroF1)],
  ];
  if (!published) return textTable(rows.map(([name, value]) => [name, value]));
  return textTable([
    ['', 'measured', published.title],
    ...rows.map(([name, value, theirs]) => [name, value, theirs === undefined ? '' : printed(theirs)]),
  ]);
}

/** How each class fares. */
export function formatClasses({ perClass }: ClassificationMetrics, published?: Comparison): string {
  const theirs = published?.classRecallPercent;
  const head = [
    'class',
    'videos',
    'recall',
    'precision',
    'F1',
    ...(theirs ? ['published recall, all folds'] : []),
  ];
  const rows = perClass.map(({ name, support, recall, precision, f1 }, k) => [
    name,
    String(support),
    percent(recall),
    percent(precision),
    percent(f1),
    ...(theirs ? [printed(theirs[k])] : []),
  ]);
  return textTable([head, ...rows]);
}
