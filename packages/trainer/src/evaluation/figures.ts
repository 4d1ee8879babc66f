import { confusionMatrixChart } from '../charts/confusion-matrix.js';
import { labelDistributionChart } from '../charts/label-distribution.js';
import { isMerged, titleOf } from './context.js';
import type { Evaluation } from './evaluation.js';
import type { MergedEvaluation } from './folds.js';

/** The pictures of an evaluation as SVG documents, by the names of their files. */
export function evaluationFigures(result: Evaluation | MergedEvaluation): ReadonlyMap<string, string> {
  const { confusion, perClass } = isMerged(result) ? result.pooled : result.metrics;
  const { classNames, part } = result;
  const title = titleOf(result);
  const groups = [{ name: part, counts: perClass.map(({ support }) => support) }];
  return new Map([
    [
      'confusion-matrix',
      confusionMatrixChart({ title: `Confusion matrix: ${title}`, confusion, classNames }),
    ],
    [
      'label-distribution',
      labelDistributionChart({ title: `Videos of each class: ${title}`, classNames, groups }),
    ],
  ]);
}
