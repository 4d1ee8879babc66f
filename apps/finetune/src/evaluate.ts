import type { Classifier } from '@tubelet/mae-dfer';
import {
  classificationMetrics,
  mergeViews,
  type ClassificationMetrics,
  type LeftOutVideo,
  type VideoScore,
  type ViewScore,
} from '@tubelet/trainer';
import { TestClipLoader, type BadFile, type CropMode, type Ffmpeg, type LabelledVideo } from '@tubelet/video';
import { scoreClips } from './inference.js';

export interface EvaluateOptions {
  /** In the order of the labels. */
  readonly classNames: readonly string[];
  /** Clips of each video, spread over it; the protocol has 2. */
  readonly clips: number;
  /** Clips scored at once. */
  readonly batchSize: number;
  /** Distance between two frames of a clip, in frames of the video. */
  readonly frameStep: number;
  readonly crop: CropMode;
  /** Decoding threads; by default as many as the machine suggests. */
  readonly workers?: number;
  readonly ffmpeg?: Ffmpeg;
  /** Told after each batch how many clips are scored, of all that there may be. */
  readonly progress?: (scoredClips: number, totalClips: number) => void;
  /** Told of each file that cannot be decoded, as it is found. */
  readonly onBadFile?: (file: BadFile) => void;
}

export interface VideosEvaluation {
  /** In the order of the videos. */
  readonly scores: readonly VideoScore[];
  readonly metrics: ClassificationMetrics;
  /** Mean cross-entropy of the clips against their videos' labels, without smoothing. */
  readonly loss: number;
  /** Videos without a score. */
  readonly leftOut: readonly LeftOutVideo[];
}

/** −log softmax(z)[label], shifted by the greatest logit so that nothing overflows. */
export function crossEntropyOf(logits: ArrayLike<number>, label: number): number {
  const values = Array.from(logits);
  const greatest = Math.max(...values);
  return (
    Math.log(values.reduce((sum, value) => sum + Math.exp(value - greatest), 0)) + greatest - values[label]!
  );
}

function requireLabels(videos: readonly LabelledVideo[], classes: number): void {
  const wrong = videos.find(({ label }) => !Number.isInteger(label) || label < 0 || label >= classes);
  if (wrong) {
    throw new RangeError(
      `${wrong.id} has label ${wrong.label}; there are ${classes} classes, counted from 0`,
    );
  }
}

/** Why videos have no score, in the order of the list. */
function leftOutOf(
  videos: readonly LabelledVideo[],
  scored: ReadonlySet<number>,
  badFiles: readonly BadFile[],
): LeftOutVideo[] {
  const reasons = new Map(badFiles.map(({ path, reason }) => [path, reason]));
  return videos.flatMap(({ id, path }, i) =>
    scored.has(i) ? [] : [{ id, reason: reasons.get(path) ?? 'it gave no clip' }],
  );
}

/**
 * Scores videos by the published protocol: clips spread over each, the mean of their probabilities, and what follows
 * from the decisions. Videos that cannot be decoded are left out, and told of.
 *
 * @throws {RangeError} when a label is outside the classes
 * @throws {NoReadableVideoError} when none of the videos can be decoded, or there are none
 * @throws {UserError} when the classifier's answers are not finite
 */
export async function evaluateVideos(
  classifier: Classifier,
  videos: readonly LabelledVideo[],
  options: EvaluateOptions,
): Promise<VideosEvaluation> {
  const { classNames, clips, batchSize, frameStep, crop, workers, ffmpeg, progress, onBadFile } = options;
  const { frames, imageSize } = classifier.config.encoder;
  requireLabels(videos, classNames.length);
  const loader = await TestClipLoader.open({
    videos,
    clips,
    batchSize,
    size: imageSize,
    frames,
    step: frameStep,
    crop,
    workers,
    ffmpeg,
    onBadFile,
  });
  try {
    const views: ViewScore[] = [];
    const scored = new Set<number>();
    let lossSum = 0;
    for await (const { video, clip, logits } of scoreClips(classifier, loader.batches())) {
      const { id, label } = videos[video]!;
      views.push({ id, clip, logits, label });
      scored.add(video);
      lossSum += crossEntropyOf(logits, label);
      if (views.length % batchSize === 0) progress?.(views.length, clips * videos.length);
    }
    progress?.(views.length, views.length);
    const scores = mergeViews(views);
    return {
      scores,
      metrics: classificationMetrics(scores, classNames),
      loss: lossSum / views.length,
      leftOut: leftOutOf(videos, scored, loader.badFiles),
    };
  } finally {
    await loader.close();
  }
}
