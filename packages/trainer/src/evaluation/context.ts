import type { ReportSection } from '../report/html.js';
import type { Evaluation } from './evaluation.js';
import type { MergedEvaluation } from './folds.js';

/** Results of others, in per cent as they are printed. */
export interface PublishedFigures {
  /** Whose and of what, such as `published for MAE-DFER base, fold 1`. */
  readonly title: string;
  /** Null where it is not given. */
  readonly uarPercent: number | null;
  readonly warPercent: number;
  /** [K], in the order of the labels. */
  readonly classRecallPercent?: readonly number[];
}

/** What a report tells beside the results. */
export interface EvaluationContext {
  /** What the reader must know first, such as `validated on: the test list` or a warning. */
  readonly notes?: readonly string[];
  /** Settings, versions and the like, as they were. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Results to hold the measured ones against. */
  readonly published?: readonly PublishedFigures[];
  /** Of a cross-validation: such results of single folds, by the number of the fold. */
  readonly publishedFolds?: Readonly<Record<number, PublishedFigures>>;
  /** What else there is to say; it comes before the settings. */
  readonly sections?: readonly ReportSection[];
}

/** Whether results are those of a cross-validation. */
export function isMerged(result: Evaluation | MergedEvaluation): result is MergedEvaluation {
  return 'folds' in result;
}

/** The folds of a result: one, or those of a cross-validation. */
export function foldsOf(result: Evaluation | MergedEvaluation): readonly Evaluation[] {
  return isMerged(result) ? result.folds : [result];
}

/** What is evaluated, in a line: `DFEW, fold 1, test`. */
export function titleOf(result: Evaluation | MergedEvaluation): string {
  const fold = isMerged(result)
    ? `folds ${result.folds.map(({ fold }) => fold).join(', ')}`
    : `fold ${result.fold}`;
  return `${result.dataset}, ${fold}, ${result.part}`;
}
