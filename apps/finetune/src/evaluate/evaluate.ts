import type { Classifier } from '@tubelet/mae-dfer';
import { SingleRank, type Communicator } from '@tubelet/mpi';
import {
  classificationMetrics,
  mergeViews,
  type ClassificationMetrics,
  type LeftOutVideo,
  type VideoScore,
  type ViewScore,
} from '@tubelet/trainer';
import {
  defaultWorkerCount,
  NoReadableVideoError,
  TestClipLoader,
  type BadFile,
  type CropMode,
  type Ffmpeg,
  type LabelledVideo,
} from '@tubelet/video';
import { scoreClips } from '../classifier/inference.js';

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
  /** Decoders that run side by side; by default as many as the machine suggests. */
  readonly workers?: number;
  /** How long decoding a clip may take before its video is left out; default: the loader's. */
  readonly decodeLimitMs?: number | undefined;
  readonly ffmpeg?: Ffmpeg;
  /** Ranks that share the videos, each with the same classifier; all get the whole result. Default: this one alone. */
  readonly ranks?: Communicator;
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

/** The answer to a clip of a video of this number. */
interface View extends ViewScore {
  readonly video: number;
  readonly label: number;
}

/** What one rank has found of its videos. */
interface Share {
  readonly views: readonly View[];
  readonly badFiles: readonly BadFile[];
}

/**
 * Scores videos by the published protocol: clips spread over each, the mean of their probabilities, and what follows
 * from the decisions. Videos that cannot be decoded are left out, and told of.
 *
 * @throws RangeError when a label is outside the classes
 * @throws NoReadableVideoError when none of the videos can be decoded, or there are none
 * @throws UserError when the classifier's answers are not finite
 */
export async function evaluateVideos(
  classifier: Classifier,
  videos: readonly LabelledVideo[],
  options: EvaluateOptions,
): Promise<VideosEvaluation> {
  const { classNames, ranks = new SingleRank(), onBadFile } = options;
  requireLabels(videos, classNames.length);
  const share = await scoreShare(classifier, videos, options, ranks);
  // Every video is one rank's, so that none counts twice.
  const shares = await ranks.gather(share);
  const views = shares.flatMap((one) => one.views).sort((a, b) => a.video - b.video || a.clip - b.clip);
  const badFiles = shares.flatMap((one) => one.badFiles);
  for (const file of shares.flatMap((one, rank) => (rank === ranks.rank ? [] : one.badFiles)))
    onBadFile?.(file);
  if (views.length === 0) throw new NoReadableVideoError(noneReadable(videos.length, badFiles));
  const lossSum = views.reduce((sum, { logits, label }) => sum + crossEntropyOf(logits, label), 0);
  const scores = mergeViews(views);
  return {
    scores,
    metrics: classificationMetrics(scores, classNames),
    loss: lossSum / views.length,
    leftOut: leftOutOf(videos, new Set(views.map(({ video }) => video)), badFiles),
  };
}

function noneReadable(count: number, [first]: readonly BadFile[]): string {
  if (first === undefined) return 'There are no videos to test with: the list is empty.';
  return `None of the ${count} videos can be read. The first: ${first.path}: ${first.reason}`;
}

/** Every `size`-th video, from the rank's own number on. */
async function scoreShare(
  classifier: Classifier,
  videos: readonly LabelledVideo[],
  options: EvaluateOptions,
  { rank, size, localSize }: Communicator,
): Promise<Share> {
  const { clips, batchSize, frameStep, crop, workers, decodeLimitMs, ffmpeg, progress, onBadFile } = options;
  const { frames, imageSize } = classifier.config.encoder;
  const own = videos.filter((_, video) => video % size === rank);
  if (own.length === 0) return { views: [], badFiles: [] };
  const loader = await TestClipLoader.open({
    videos: own,
    clips,
    batchSize,
    size: imageSize,
    frames,
    step: frameStep,
    crop,
    workers: workers ?? defaultWorkerCount(localSize),
    decodeLimitMs,
    ffmpeg,
    onBadFile,
  });
  const views: View[] = [];
  try {
    for await (const { video, clip, logits } of scoreClips(classifier, loader.batches())) {
      const { id, label } = own[video]!;
      views.push({ id, clip, logits: Array.from(logits), label, video: video * size + rank });
      if (views.length % batchSize === 0) progress?.(views.length, clips * own.length);
    }
    progress?.(views.length, views.length);
  } catch (error) {
    // Another rank may have some that can be read.
    if (!(error instanceof NoReadableVideoError)) throw error;
  } finally {
    await loader.close();
  }
  return { views, badFiles: loader.badFiles };
}
