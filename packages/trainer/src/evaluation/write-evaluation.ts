import { join } from 'node:path';
import { svgToPng } from '../charts/png.js';
import { csvRecord } from '../formats/csv.js';
import { writeFileInPieces, writeTextFile } from '../formats/file-write.js';
import { foldsOf, isMerged, type EvaluationContext } from './context.js';
import type { Evaluation } from './evaluation.js';
import { evaluationJson } from './evaluation-json.js';
import { renderEvaluation } from './evaluation-page.js';
import { evaluationFigures } from './figures.js';
import type { MergedEvaluation } from './folds.js';

/** Where an evaluation was written. */
export interface EvaluationFiles {
  readonly reportPath: string;
  readonly jsonPath: string;
  readonly predictionsPath: string;
  /** SVG and PNG files. */
  readonly figurePaths: readonly string[];
}

/** The file of {@link readEvaluation} in an evaluation's folder. */
export function evaluationPath(directory: string): string {
  return join(directory, 'evaluation.json');
}

/**
 * Predictions as CSV, one video a record: `id,label,predicted,p_<class>…,views`, classes by their names; those of a
 * cross-validation have their fold in front.
 */
export function predictionsCsv(result: Evaluation | MergedEvaluation): string {
  const { classNames } = result;
  const fold = (value: string | number): (string | number)[] => (isMerged(result) ? [value] : []);
  const head = [
    ...fold('fold'),
    'id',
    'label',
    'predicted',
    ...classNames.map((name) => `p_${name}`),
    'views',
  ];
  const records = foldsOf(result).flatMap((one) =>
    one.videos.map(({ id, label, predicted, probabilities, views }) => [
      ...fold(one.fold),
      id,
      classNames[label] ?? label,
      classNames[predicted] ?? predicted,
      ...probabilities.map((probability) => probability.toFixed(6)),
      views,
    ]),
  );
  return [head, ...records].map(csvRecord).join('');
}

/**
 * Writes an evaluation, or the merged ones of a cross-validation, into a folder: `report.html`, `evaluation.json`,
 * `predictions.csv` and the pictures in `figures/` as SVG and PNG. Files of an earlier evaluation there are replaced.
 *
 * @throws FileWriteError when a file cannot be written
 */
export async function writeEvaluation(
  directory: string,
  result: Evaluation | MergedEvaluation,
  context: EvaluationContext = {},
): Promise<EvaluationFiles> {
  const [reportPath, predictionsPath] = [join(directory, 'report.html'), join(directory, 'predictions.csv')];
  const jsonPath = evaluationPath(directory);
  const figurePaths: string[] = [];
  for (const [name, svg] of evaluationFigures(result)) {
    const base = join(directory, 'figures', name);
    await writeTextFile(`${base}.svg`, `${svg}\n`);
    await writeFileInPieces(`${base}.png`, [await svgToPng(svg)]);
    figurePaths.push(`${base}.svg`, `${base}.png`);
  }
  await writeTextFile(predictionsPath, predictionsCsv(result));
  await writeTextFile(reportPath, renderEvaluation(result, context));
  // Last: an evaluation that has this file is whole.
  await writeTextFile(jsonPath, evaluationJson(result, context));
  return { reportPath, jsonPath, predictionsPath, figurePaths };
}
