import { type ClassificationMetrics, type MergedEvaluation, type PublishedFigures } from '@tubelet/trainer';
import { textTable } from '@tubelet/trainer/formats';

const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? '–' : `${(100 * share).toFixed(2)} %`;
const printed = (value: number | null | undefined): string => percent(value == null ? value : value / 100);

/** UAR, WAR and their companions; above published figures where there are some, a line each. */
export function formatMetrics(
  { uar, war, top5, weightedF1, macroF1 }: ClassificationMetrics,
  published: readonly PublishedFigures[] = [],
): string {
  const recalls = [
    ['UAR', percent(uar)],
    ['WAR', percent(war)],
  ];
  const others = [
    ...(top5 === undefined ? [] : [['among the first five', percent(top5)]]),
    ['weighted F1', percent(weightedF1)],
    ['macro F1', percent(macroF1)],
  ];
  if (published.length === 0) return textTable([...recalls, ...others]);
  const comparison = textTable([
    ['', 'UAR', 'WAR'],
    ['measured', percent(uar), percent(war)],
    ...published.map(({ title, uarPercent, warPercent }) => [
      title,
      printed(uarPercent),
      printed(warPercent),
    ]),
  ]);
  return `${comparison}\n\n${textTable(others)}`;
}

/** A cross-validation: each fold, their means and all predictions together, and how the classes fare. */
export function formatFolds(
  { folds, pooled, meanUar, meanWar }: MergedEvaluation,
  published: readonly PublishedFigures[] = [],
): string {
  const row = (name: string, count: number, uar: number, war: number) => [
    name,
    String(count),
    percent(uar),
    percent(war),
  ];
  const table = textTable([
    ['', 'videos', 'UAR', 'WAR'],
    ...folds.map(({ fold, metrics: { count, uar, war } }) => row(`fold ${fold}`, count, uar, war)),
    row('mean of the folds', pooled.count, meanUar, meanWar),
    row('all predictions together', pooled.count, pooled.uar, pooled.war),
    ...published.map(({ title, uarPercent, warPercent }) => [
      title,
      '',
      printed(uarPercent),
      printed(warPercent),
    ]),
  ]);
  return `${table}\n\n${formatMetrics(pooled)}\n\n${formatClasses(pooled, published)}`;
}

/** How each class fares, beside the first published recalls, if there are any. */
export function formatClasses(
  { perClass }: ClassificationMetrics,
  published: readonly PublishedFigures[] = [],
): string {
  const theirs = published
    .filter(({ classRecallPercent }) => classRecallPercent?.length === perClass.length)
    .slice(0, 1);
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
