import { classificationMetrics, type ClassificationMetrics } from './metrics.js';
import type { VideoScore } from './views.js';

/** A scored video whose class is known. */
export type EvaluatedVideo = VideoScore & { readonly label: number };

/** A video that has no score. */
export interface LeftOutVideo {
  readonly id: string;
  /** Why, such as what the decoder said. */
  readonly reason: string;
}

/** What is evaluated on what. */
export interface EvaluationSubject {
  /** As it is written in reports, such as `DFEW`. */
  readonly dataset: string;
  /** Counted from 1. */
  readonly fold: number;
  /** Which part of the fold: `test`, `validation`, `train`. */
  readonly part: string;
  /** The classifier's file. */
  readonly checkpoint: string;
  /** Clips scored of each video. */
  readonly clipsPerVideo: number;
  /** In the order of the labels. */
  readonly classNames: readonly string[];
  /** Videos of the part that could not be scored. */
  readonly leftOut: readonly LeftOutVideo[];
}

/** A classifier's results on a part of a data set. Plain data: as JSON and back it stays the same. */
export interface Evaluation extends EvaluationSubject {
  readonly metrics: ClassificationMetrics;
  readonly videos: readonly EvaluatedVideo[];
}

/**
 * The evaluation of scored videos.
 *
 * @throws UserError when there is no video
 * @throws RangeError when a video has no label, or one outside the classes
 */
export function evaluationOf(subject: EvaluationSubject, scores: readonly VideoScore[]): Evaluation {
  const metrics = classificationMetrics(scores, subject.classNames);
  const isLabelled = (score: VideoScore): score is EvaluatedVideo => score.label !== undefined;
  return { ...subject, metrics, videos: scores.filter(isLabelled) };
}
