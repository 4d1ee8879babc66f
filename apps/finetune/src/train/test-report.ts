import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  confusionMatrixChart,
  evaluationPath,
  labelDistributionChart,
  mergeFolds,
  readEvaluation,
  writeEvaluation,
  writeReport,
  type Evaluation,
  type JsonValue,
  type ReportSection,
  type RunFolder,
} from '@tubelet/trainer';
import type { ClassifierConfig } from '@tubelet/mae-dfer';
import { labelCounts, type Dataset, type LabelledVideo } from '@tubelet/video';
import type { RunVideos, ValidationPart } from '../shared/data-source.js';
import { formatClasses, formatFolds, formatMetrics } from '../evaluate/evaluate-summary.js';
import { publishedFolds, publishedFor } from '../evaluate/published-results.js';
import type { RunOptions } from './train-options.js';

/** Where a run has the result of its test. */
function testDirectory(runDirectory: string): string {
  return join(runDirectory, 'test');
}

/**
 * The result of a run's test; undefined where it has not been tested.
 *
 * @throws UserError for a damaged file
 */
export async function readTest(runDirectory: string): Promise<Evaluation | undefined> {
  const path = evaluationPath(testDirectory(runDirectory));
  return existsSync(path) ? readEvaluation(path) : undefined;
}

const percent = (share: number | null) => (share === null ? '–' : `${(100 * share).toFixed(2)} %`);

function testSection({ metrics, classNames, checkpoint }: Evaluation, runDirectory: string): ReportSection {
  return {
    title: 'Test',
    paragraphs: [
      `${metrics.count} videos, weights of ${relative(runDirectory, checkpoint)}. ` +
        `The folder test has the whole report, the predictions and the pictures.`,
    ],
    tables: [
      {
        rows: [
          ['UAR', percent(metrics.uar)],
          ['WAR', percent(metrics.war)],
        ],
      },
    ],
    figures: [
      confusionMatrixChart({
        title: 'Confusion matrix of the test',
        confusion: metrics.confusion,
        classNames,
      }),
    ],
  };
}

/** Which videos the run has, for its report. */
function videosSection({ classes }: Dataset, videos: RunVideos): ReportSection {
  const parts: [string, readonly LabelledVideo[]][] = [
    ['train', videos.train],
    ['test', videos.test],
  ];
  if (videos.validation !== videos.test) parts.splice(1, 0, ['validation', videos.validation]);
  const groups = parts
    .filter(([, list]) => list.length > 0)
    .map(([name, list]) => ({ name, counts: labelCounts(list, classes) }));
  return {
    title: 'Videos',
    paragraphs: [`Validated on ${videos.validatedOn}.`],
    figures: [labelDistributionChart({ title: 'Videos of each class', classNames: classes, groups })],
  };
}

/** Adds what the videos are and how the test went to a run's own report. */
export async function completeRunReport(
  run: RunFolder,
  dataset: Dataset,
  videos: RunVideos,
  test?: Evaluation,
): Promise<void> {
  const sections = [...(test ? [testSection(test, run.directory)] : []), videosSection(dataset, videos)];
  await writeReport(run.directory, run.config, sections);
}

/** In what a training differs from the published ones beside which its result stands. */
const heldOutNote = ({ validateOn }: Pick<RunOptions, 'validateOn'>) =>
  validateOn === 'held-out'
    ? ', which the published training trained on (--validate-on test or none does so too)'
    : '';

/** Writes the report of a run's test and prints its figures, beside published ones where there are some. */
export async function reportTest(
  test: Evaluation,
  dataset: Dataset,
  videos: RunVideos,
  options: RunOptions,
  { encoder }: ClassifierConfig,
): Promise<void> {
  const published = publishedFor(dataset.name, test.fold, 'test', encoder);
  const { reportPath } = await writeEvaluation(testDirectory(options.out), test, {
    notes: [`Validated on ${videos.validatedOn}; tested: the weights of the ${options.testOf} epoch.`],
    settings: { root: dataset.root, frameStep: options.frameStep, crop: options.crop, seed: options.seed },
    published,
  });
  console.log(
    `\ntest of fold ${test.fold}: ${test.metrics.count} videos, ${test.clipsPerVideo} clips of each; ` +
      `validated on ${videos.validatedOn}${published.length > 0 ? heldOutNote(options) : ''}`,
  );
  console.log(`${formatMetrics(test.metrics, published)}\n\n${formatClasses(test.metrics, published)}`);
  console.log(`\ntest report ${reportPath}`);
}

const VALIDATED_ON: Readonly<Record<ValidationPart, string>> = {
  'held-out': 'training videos held out of each fold',
  test: 'the test part of each fold (as the published training does)',
  none: 'nothing',
};

/**
 * Writes and prints the result of a cross-validation, merged both ways.
 *
 * @param settings those that all folds share
 */
export async function reportCrossValidation(
  tests: readonly Evaluation[],
  dataset: Dataset,
  { out, validateOn, testOf }: RunOptions,
  { encoder }: ClassifierConfig,
  settings: Readonly<Record<string, JsonValue>>,
): Promise<void> {
  const merged = mergeFolds(tests);
  const published = publishedFor(dataset.name, 'all', 'test', encoder);
  const { reportPath } = await writeEvaluation(out, merged, {
    notes: [`Validated on ${VALIDATED_ON[validateOn]}; tested: the weights of the ${testOf} epoch.`],
    settings: { root: dataset.root, ...settings },
    published,
    publishedFolds: publishedFolds(dataset.name, 'test', encoder),
  });
  const differs = published.length > 0 ? heldOutNote({ validateOn }) : '';
  console.log(`\nvalidated on ${VALIDATED_ON[validateOn]}${differs}`);
  console.log(`\n${formatFolds(merged, published)}`);
  console.log(`\nreport ${reportPath}`);
}
