import { join } from 'node:path';
import {
  evaluationPath,
  hasBegun,
  mergeFolds,
  OptionError,
  writeEvaluation,
  type Evaluation,
  type EvaluationContext,
} from '@tubelet/trainer';
import type { EvaluateCommandOptions } from './evaluate-options.js';
import { evaluateDataset, evaluateFolds, type DatasetEvaluation } from './evaluate-dataset.js';
import { formatClasses, formatFolds, formatMetrics } from './evaluate-summary.js';
import { displayPath, requireWritable, type Terminal } from '../shared/output.js';
import { publishedFolds, publishedFor } from './published-results.js';

/** What is said of an evaluation on the terminal. */
function summary(
  { evaluation, loss, frameStep, crop }: DatasetEvaluation,
  context: EvaluationContext,
): string {
  const { dataset, fold, part, metrics, leftOut, clipsPerVideo, checkpoint } = evaluation;
  const clips = `${clipsPerVideo} ${clipsPerVideo === 1 ? 'clip' : 'clips'} of each`;
  return [
    `${dataset}, fold ${fold}, ${part}: ${metrics.count} videos, ${clips} (frame step ${frameStep}, crop ${crop})`,
    `classifier ${displayPath(checkpoint)}; loss ${loss.toFixed(4)}`,
    ...(leftOut.length > 0 ? [`left out: ${leftOut.length} videos that could not be decoded`] : []),
    '',
    formatMetrics(metrics, context.published),
    '',
    formatClasses(metrics, context.published),
  ].join('\n');
}

/** What a report tells beside the results. */
function contextOf(
  { evaluation, datasetName, encoder, loss, frameStep, crop, leak }: DatasetEvaluation,
  options: EvaluateCommandOptions,
): EvaluationContext {
  const { fold, part }: Evaluation = evaluation;
  const { root, classesFile, batchSize } = options;
  return {
    notes: leak === null ? [] : [`Warning: ${leak}`],
    settings: { data: datasetName, root, classesFile, frameStep, crop, batchSize, loss },
    published: publishedFor(datasetName, fold, part, encoder),
  };
}

/** @throws OptionError for the folder of a run, whose report.html is that of the training */
function requireNoReportOfRun(out: string): void {
  if (!hasBegun(out)) return;
  const inside = join(out, 'evaluation');
  throw new OptionError(
    '--out',
    out,
    `another folder, such as ${inside}: this one is of a run, whose report.html would be replaced`,
  );
}

/**
 * Evaluates a classifier on a data set, prints the result and writes its report where that is asked for.
 *
 * @throws as {@link evaluateDataset}; OptionError or FileWriteError where the report cannot be written
 */
export async function evaluate(options: EvaluateCommandOptions, terminal: Terminal): Promise<void> {
  if (options.out !== undefined) {
    requireNoReportOfRun(options.out);
    requireWritable('--out', evaluationPath(options.out));
  }
  const { fold } = options;
  if (fold === 'all') return evaluateAll(options, terminal);
  const result = await evaluateDataset({ ...options, fold }, (line) => terminal.note(line));
  const context = contextOf(result, options);
  await terminal.write(`${summary(result, context)}\n`);
  if (options.out === undefined) return;
  const { reportPath } = await writeEvaluation(options.out, result.evaluation, context);
  await terminal.write(`\nreport ${displayPath(reportPath)}\n`);
}

/** The same of every fold with the classifier that was trained for it, merged in both ways. */
async function evaluateAll(options: EvaluateCommandOptions, terminal: Terminal): Promise<void> {
  const results = await evaluateFolds(options, (line) => terminal.note(line));
  const [{ datasetName, encoder, frameStep, crop, evaluation }] = results as [DatasetEvaluation];
  const merged = mergeFolds(results.map((result) => result.evaluation));
  const published = publishedFor(datasetName, 'all', options.part, encoder);
  const clips = `${options.clips} ${options.clips === 1 ? 'clip' : 'clips'} of each video`;
  await terminal.write(
    `${evaluation.dataset}, ${merged.folds.length} folds, ${options.part}: ${clips} (frame step ${frameStep}, crop ${crop})\n\n` +
      `${formatFolds(merged, published)}\n`,
  );
  if (options.out === undefined) return;
  const { root, classesFile, batchSize } = options;
  const { reportPath } = await writeEvaluation(options.out, merged, {
    notes: results.flatMap(({ leak, evaluation: { fold } }) =>
      leak === null ? [] : [`Warning about fold ${fold}: ${leak}`],
    ),
    settings: { data: datasetName, root, classesFile, frameStep, crop, batchSize },
    published,
    publishedFolds: publishedFolds(datasetName, options.part, encoder),
  });
  await terminal.write(`\nreport ${displayPath(reportPath)}\n`);
}
