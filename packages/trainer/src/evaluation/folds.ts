import { UserError } from '../errors.js';
import type { Evaluation } from './evaluation.js';
import { classificationMetrics, mean, type ClassificationMetrics } from './metrics.js';

/** The evaluations of a cross-validation, merged in both customary ways. Plain data. */
export interface MergedEvaluation {
  readonly dataset: string;
  readonly part: string;
  readonly clipsPerVideo: number;
  readonly classNames: readonly string[];
  /** Over the predictions of all folds taken together. */
  readonly pooled: ClassificationMetrics;
  /** Mean of the folds' UAR, each fold counting the same. */
  readonly meanUar: number;
  /** Mean of the folds' WAR, each fold counting the same. */
  readonly meanWar: number;
  /** How many videos are in more than one fold; they count in `pooled` each time. */
  readonly repeatedVideos: number;
  /** In the order of their numbers. */
  readonly folds: readonly Evaluation[];
}

/** Means over folds, each fold counting the same. */
export function meanOfFolds(folds: readonly Pick<ClassificationMetrics, 'uar' | 'war'>[]): {
  readonly uar: number;
  readonly war: number;
} {
  return { uar: mean(folds.map(({ uar }) => uar)), war: mean(folds.map(({ war }) => war)) };
}

function requireSame(evaluations: readonly Evaluation[], first: Evaluation): void {
  for (const key of ['dataset', 'part', 'clipsPerVideo', 'classNames'] as const) {
    for (const one of evaluations) {
      const [before, now] = [JSON.stringify(first[key]), JSON.stringify(one[key])];
      if (before !== now) {
        throw new UserError(
          `the folds cannot be merged: ${key} is ${before} in fold ${first.fold} and ${now} in fold ${one.fold}. ` +
            'Evaluate them in the same way.',
        );
      }
    }
  }
}

/**
 * Merges the folds of a cross-validation: their predictions pooled, and their UAR and WAR averaged. The paper speaks of
 * the first, the published totals are the second.
 *
 * @throws UserError when there is no fold, two are the same fold, or they were evaluated differently
 */
export function mergeFolds(evaluations: readonly Evaluation[]): MergedEvaluation {
  const folds = [...evaluations].sort((a, b) => a.fold - b.fold);
  const first = folds[0];
  if (!first) throw new UserError('there are no folds to merge');
  requireSame(folds, first);
  const twice = folds.find(({ fold }, i) => folds[i + 1]?.fold === fold);
  if (twice) throw new UserError(`fold ${twice.fold} is there twice; give each fold once`);
  const videos = folds.flatMap((fold) => fold.videos);
  const { dataset, part, clipsPerVideo, classNames } = first;
  const means = meanOfFolds(folds.map(({ metrics }) => metrics));
  return {
    dataset,
    part,
    clipsPerVideo,
    classNames,
    pooled: classificationMetrics(videos, classNames),
    meanUar: means.uar,
    meanWar: means.war,
    repeatedVideos: videos.length - new Set(videos.map(({ id }) => id)).size,
    folds,
  };
}
