import type { ClassificationMetrics, PublishedFigures } from '@tubelet/trainer';
import { textTable } from './text-table.js';

const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? '–' : `${(100 * share).toFixed(2)} %`;
const printed = (value: number | undefined): string => percent(value === undefined ? value : value / 100);

/** UAR, WAR and their companions, beside published figures where there are some. */
export function formatMetrics(
  { uar, war, top5, weightedF1, macroF1 }: ClassificationMetrics,
  published: readonly PublishedFigures[] = [],
): string {
  const blank = published.map(() => '');
  return textTable([
    ...(published.length > 0 ? [['', 'measured', ...published.map(({ title }) => title)]] : []),
    ['UAR', percent(uar), ...published.map(({ uarPercent }) => printed(uarPercent))],
    ['WAR', percent(war), ...published.map(({ warPercent }) => printed(warPercent))],
    ...(top5 === undefined ? [] : [['among the first five', percent(top5), ...blank]]),
    ['weighted F1', percent(weightedF1), ...blank],
    ['macro F1', percent(macroF1), ...blank],
  ]);
}

/** How each class fares, beside published recalls where there are some. */
export function formatClasses(
  { perClass }: ClassificationMetrics,
  published: readonly PublishedFigures[] = [],
): string {
  const theirs = published.filter(({ classRecallPercent }) => classRecallPercent?.length === perClass.length);
  return textTable([
    ['class', 'videos', 'recall', 'precision', 'F1', ...theirs.map(({ title }) => `recall ${title}`)],
    ...perClass.map(({ name, support, recall, precision, f1 }, k) => [
      name,
      String(support),
      percent(recall),
      percent(precision),
      percent(f1),
      ...theirs.map(({ classRecallPercent }) => printed(classRecallPercent?.[k])),
    ]),
  ]);
}
