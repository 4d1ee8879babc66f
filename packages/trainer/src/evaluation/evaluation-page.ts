import { htmlPage, settingRows, type ReportSection, type ReportTable } from '../report/html.js';
import { foldsOf, isMerged, titleOf, type EvaluationContext, type PublishedFigures } from './context.js';
import type { Evaluation } from './evaluation.js';
import { evaluationFigures } from './figures.js';
import type { MergedEvaluation } from './folds.js';
import type { ClassificationMetrics } from './metrics.js';

/** The left-out videos that a page lists; the JSON has all of them. */
const LEFT_OUT_SHOWN = 200;

function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? '–' : `${(100 * share).toFixed(2)} %`;
}

/** A published figure, where it is given, and by how many points the measured one is above it. */
function beside(publishedPercent: number | null, share: number | null): string {
  if (publishedPercent === null) return '–';
  if (share === null) return `${publishedPercent.toFixed(2)} %`;
  const points = 100 * share - publishedPercent;
  return `${publishedPercent.toFixed(2)} % (${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(2)})`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function subjectTable(result: Evaluation | MergedEvaluation): ReportTable {
  const folds = foldsOf(result);
  const total = (count: (fold: Evaluation) => number): string =>
    String(folds.reduce((sum, fold) => sum + count(fold), 0));
  return {
    rows: [
      ['data set', result.dataset],
      ['folds', folds.map(({ fold }) => fold).join(', ')],
      ['part', result.part],
      ...(isMerged(result) ? [] : [['checkpoint', result.checkpoint]]),
      ['clips a video', String(result.clipsPerVideo)],
      ['videos scored', total(({ videos }) => videos.length)],
      ['videos left out', total(({ leftOut }) => leftOut.length)],
    ],
  };
}

function remarks(result: Evaluation | MergedEvaluation, metrics: ClassificationMetrics): string[] {
  const absent = metrics.perClass.filter(({ support }) => support === 0).map(({ name }) => name);
  const folds = foldsOf(result);
  const leftOut = folds.reduce((sum, fold) => sum + fold.leftOut.length, 0);
  const duplicates = folds.flatMap(({ videos }) => videos).reduce((sum, video) => sum + video.duplicates, 0);
  return [
    ...(leftOut > 0
      ? [`${counted(leftOut, 'video')} could not be scored: in no figure here, and listed below.`]
      : []),
    ...(absent.length > 0
      ? [`No video is of ${absent.join(', ')}: without videos there is no recall, and UAR leaves them out.`]
      : []),
    ...(duplicates > 0
      ? [`${counted(duplicates, 'repeated view')} of the same clips left out of the means.`]
      : []),
    ...(isMerged(result) && result.repeatedVideos > 0
      ? [
          `${counted(result.repeatedVideos, 'video')} in several folds: counted each time in the pooled figures.`,
        ]
      : []),
  ];
}

/** UAR, WAR and their companions; of a cross-validation merged in both ways. */
function metricsTable(
  result: Evaluation | MergedEvaluation,
  published: readonly PublishedFigures[],
): ReportTable {
  const metrics = isMerged(result) ? result.pooled : result.metrics;
  // Published totals are means over folds.
  const [uar, war] = isMerged(result) ? [result.meanUar, result.meanWar] : [metrics.uar, metrics.war];
  const blank = published.map(() => '');
  const pooled = (share: number): string[] => (isMerged(result) ? [percent(share)] : []);
  const own = (name: string, share: number): string[] =>
    isMerged(result) ? [name, '', percent(share), ...blank] : [name, percent(share), ...blank];
  return {
    head: [
      '',
      ...(isMerged(result) ? ['mean over folds', 'predictions pooled'] : ['measured']),
      ...published.map(({ title }) => `${title} (difference)`),
    ],
    rows: [
      ['UAR', percent(uar), ...pooled(metrics.uar), ...published.map((one) => beside(one.uarPercent, uar))],
      ['WAR', percent(war), ...pooled(metrics.war), ...published.map((one) => beside(one.warPercent, war))],
      ...(metrics.top5 === undefined ? [] : [own('among the five most probable', metrics.top5)]),
      own('weighted F1', metrics.weightedF1),
      own('micro F1', metrics.microF1),
      own('macro F1', metrics.macroF1),
    ],
  };
}

function classTable(
  { perClass }: ClassificationMetrics,
  published: readonly PublishedFigures[],
): ReportTable {
  const withClasses = published.filter(
    ({ classRecallPercent }) => classRecallPercent?.length === perClass.length,
  );
  return {
    head: [
      'class',
      'videos',
      'recall',
      'precision',
      'F1',
      ...withClasses.map(({ title }) => `recall, ${title} (difference)`),
    ],
    rows: perClass.map(({ name, support, recall, precision, f1 }, k) => [
      name,
      String(support),
      percent(recall),
      percent(precision),
      percent(f1),
      ...withClasses.map(({ classRecallPercent }) => beside(classRecallPercent?.[k] ?? 0, recall)),
    ]),
  };
}

function foldTable(
  folds: readonly Evaluation[],
  publishedFolds: Readonly<Record<number, PublishedFigures>>,
): ReportTable {
  const known = folds.some(({ fold }) => publishedFolds[fold]);
  return {
    head: [
      ...['fold', 'videos', 'left out', 'UAR', 'WAR', 'macro F1'],
      ...(known ? ['published UAR (difference)', 'published WAR (difference)'] : []),
      'checkpoint',
    ],
    rows: folds.map(({ fold, videos, leftOut, metrics: { uar, war, macroF1 }, checkpoint }) => {
      const published = publishedFolds[fold];
      const theirs = published
        ? [beside(published.uarPercent, uar), beside(published.warPercent, war)]
        : ['–', '–'];
      return [
        ...[String(fold), String(videos.length), String(leftOut.length)],
        ...[percent(uar), percent(war), percent(macroF1)],
        ...(known ? theirs : []),
        checkpoint,
      ];
    }),
  };
}

function leftOutSection(result: Evaluation | MergedEvaluation): ReportSection[] {
  const rows = foldsOf(result).flatMap(({ fold, leftOut }) =>
    leftOut.map(({ id, reason }) => [String(fold), id, reason]),
  );
  if (rows.length === 0) return [];
  const hidden = rows.length - LEFT_OUT_SHOWN;
  return [
    {
      title: 'Left out',
      paragraphs: hidden > 0 ? [`The first ${LEFT_OUT_SHOWN}; evaluation.json lists ${hidden} more.`] : [],
      tables: [{ head: ['fold', 'video', 'reason'], rows: rows.slice(0, LEFT_OUT_SHOWN) }],
    },
  ];
}

/** An evaluation as one HTML page that needs nothing else. */
export function renderEvaluation(
  result: Evaluation | MergedEvaluation,
  { notes = [], settings = {}, published = [], publishedFolds = {}, sections = [] }: EvaluationContext = {},
): string {
  const metrics = isMerged(result) ? result.pooled : result.metrics;
  const pooled = isMerged(result) ? ', predictions of all folds pooled' : '';
  return htmlPage(titleOf(result), [
    {
      title: 'Evaluation',
      paragraphs: [...notes, ...remarks(result, metrics)],
      tables: [subjectTable(result)],
    },
    {
      title: 'Results',
      paragraphs: [
        'UAR, unweighted average recall, is the mean of the recalls of the classes; WAR, weighted average recall, is the ' +
          'accuracy.' +
          (published.length > 0 ? ' Differences are in points, measured less published.' : ''),
      ],
      tables: [metricsTable(result, published)],
    },
    ...(isMerged(result) ? [{ title: 'Folds', tables: [foldTable(result.folds, publishedFolds)] }] : []),
    { title: `Classes${pooled}`, tables: [classTable(metrics, published)] },
    { title: `Figures${pooled}`, figures: [...evaluationFigures(result).values()] },
    ...sections,
    { title: 'Settings', tables: [{ rows: settingRows(settings) }] },
    ...leftOutSection(result),
  ]);
}
