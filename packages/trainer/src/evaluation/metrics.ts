import { UserError } from '../errors.js';
import type { VideoScore } from './views.js';

/** How one class fares. All shares are of 1, null where they are shares of nothing. */
export interface ClassMetrics {
  readonly name: string;
  /** How many videos are of this class. */
  readonly support: number;
  /** Share of the videos of this class that were found; null where there are none. */
  readonly recall: number | null;
  /** Share of the videos said to be of this class that are; null where none was said to be. */
  readonly precision: number | null;
  /** 2·TP / (2·TP + FP + FN); null where the class neither occurs nor was predicted. */
  readonly f1: number | null;
}

/** How well videos were classified. All shares are of 1. */
export interface ClassificationMetrics {
  readonly count: number;
  /** Unweighted average recall: the mean of the recalls of the classes that occur. */
  readonly uar: number;
  /** Weighted average recall: the accuracy, trace over total of the confusion matrix. */
  readonly war: number;
  /** Share of videos whose class is among the five most probable; only with more than five classes. */
  readonly top5?: number;
  readonly perClass: readonly ClassMetrics[];
  /** F1 averaged with the supports as weights. */
  readonly weightedF1: number;
  /** F1 of the pooled decisions; with one label a video it equals WAR. */
  readonly microF1: number;
  /** Mean of the F1 of the classes that occur or were predicted. */
  readonly macroF1: number;
  /** [K][K] counts: row = true class, column = predicted class. */
  readonly confusion: readonly (readonly number[])[];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The mean; NaN of nothing. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function share(part: number, total: number): number | null {
  return total === 0 ? null : part / total;
}

function isNumber(value: number | null): value is number {
  return value !== null;
}

/** The metrics that follow from a confusion matrix [K][K], rows = truth: all but top-5. */
export function metricsOfConfusion(
  confusion: readonly (readonly number[])[],
  classNames: readonly string[],
): ClassificationMetrics {
  const columnSums = classNames.map((_, k) => sum(confusion.map((row) => row[k] ?? 0)));
  const perClass = classNames.map((name, k): ClassMetrics => {
    const support = sum(confusion[k] ?? []);
    const predicted = columnSums[k] ?? 0;
    const found = confusion[k]?.[k] ?? 0;
    return {
      name,
      support,
      recall: share(found, support),
      precision: share(found, predicted),
      f1: share(2 * found, support + predicted),
    };
  });
  const count = sum(perClass.map(({ support }) => support));
  if (count === 0) throw new UserError('there is nothing to evaluate: no labelled video was scored');
  const found = sum(confusion.map((row, k) => row[k] ?? 0));
  return {
    count,
    uar: mean(perClass.map(({ recall }) => recall).filter(isNumber)),
    war: found / count,
    perClass,
    weightedF1: sum(perClass.map(({ support, f1 }) => (support / count) * (f1 ?? 0))),
    // 2·TP / (2·TP + FP + FN), where every wrong decision is one false positive and one false negative.
    microF1: found / count,
    macroF1: mean(perClass.map(({ f1 }) => f1).filter(isNumber)),
    confusion,
  };
}

/** Whether the true class is among the five most probable; of equal probabilities the first class comes first. */
function inTopFive(probabilities: readonly number[], label: number): boolean {
  const own = probabilities[label] ?? 0;
  return probabilities.filter((other, k) => other > own || (other === own && k < label)).length < 5;
}

/**
 * UAR, WAR and their companions over scored videos. Classes without videos have no recall: they are left out of UAR,
 * and their `perClass` entry says so with a support of 0.
 *
 * @param classNames in the order of the labels
 * @throws UserError when there is no video
 * @throws RangeError when a video has no label, or a class is outside 0 … K − 1
 */
export function classificationMetrics(
  scores: readonly Pick<VideoScore, 'id' | 'label' | 'probabilities' | 'predicted'>[],
  classNames: readonly string[],
): ClassificationMetrics {
  const classes = classNames.length;
  const confusion = classNames.map(() => classNames.map(() => 0));
  let inTop = 0;
  for (const { id, label, probabilities, predicted } of scores) {
    if (label === undefined) throw new RangeError(`${id} has no label`);
    if (probabilities.length !== classes) {
      throw new RangeError(`${id} has ${probabilities.length} probabilities for ${classes} classes`);
    }
    const row = confusion[label];
    if (row?.[predicted] === undefined) {
      throw new RangeError(
        `${id}: label ${label}, predicted ${predicted}; classes are whole numbers from 0 to ${classes - 1}`,
      );
    }
    row[predicted] += 1;
    if (inTopFive(probabilities, label)) inTop += 1;
  }
  const metrics = metricsOfConfusion(confusion, classNames);
  return classes > 5 ? { ...metrics, top5: inTop / scores.length } : metrics;
}
