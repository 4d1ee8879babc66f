/** From videos to what a classifier says of each. */
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { mergeViews } from '@tubelet/trainer';
import {
  TestClipLoader,
  type BadFile,
  type CropMode,
  type TestClipBatch,
  type TestVideo,
} from '@tubelet/video';
import type { ClassifierFile } from '../classifier/classifier-file.js';
import { openClassifier, scoreClips, type ClipScore } from '../classifier/inference.js';

/** How videos are scored. */
export interface ScoringOptions {
  /** Clips of each video, spread evenly over it. */
  readonly clips: number;
  /** Distance between two frames of a clip, in frames of the video. */
  readonly frameStep: number;
  readonly crop: CropMode;
  /** Clips in a pass of the model. */
  readonly batchSize: number;
  /** Decoders that run side by side. */
  readonly workers?: number;
  /** Which of several GPUs. */
  readonly gpu?: number;
  /** Told of each video that cannot be read. */
  readonly onBadFile: (file: BadFile) => void;
  /** Told after each video how many clips are scored, of all that there may be. */
  readonly progress?: (scoredClips: number, totalClips: number) => void;
}

/** What a classifier says of a video. */
export interface VideoAnswer {
  /** Index of the video. */
  readonly video: number;
  /** [K]: mean of the probabilities of its clips. */
  readonly probabilities: readonly number[];
  /** The class with the greatest probability. */
  readonly predicted: number;
  /** How many clips were scored. */
  readonly clips: number;
  /** [C]: mean of the features of its clips. */
  readonly feature: Float32Array<ArrayBuffer>;
}

/**
 * Scores videos one after the other; those that cannot be read are reported and passed over. The GPU is opened once
 * the first clips are there, and closed with the generator.
 *
 * @throws NoReadableVideoError when none of the videos can be read, UserError when the weights give no
 *   finite numbers; errors of the GPU
 */
export async function* scoreVideos(
  file: ClassifierFile,
  videos: readonly TestVideo[],
  { frameStep, gpu, progress, ...options }: ScoringOptions,
): AsyncGenerator<VideoAnswer, void> {
  const { imageSize, frames } = file.description.model.encoder;
  const loader = await TestClipLoader.open({ ...options, videos, size: imageSize, frames, step: frameStep });
  try {
    const batches = loader.batches();
    const first = await batches.next();
    if (first.done) return;
    const runtime = await openNodeRuntime({ gpu });
    try {
      const scores = scoreClips(openClassifier(runtime, file), startingWith(first.value, batches));
      let scored = 0;
      for await (const group of byVideo(scores)) {
        yield answerOf(group, videos[group[0]!.video]!.path);
        scored += group.length;
        progress?.(scored, options.clips * videos.length);
      }
    } finally {
      closeNodeRuntime(runtime);
    }
  } finally {
    await loader.close();
  }
}

async function* startingWith(
  first: TestClipBatch,
  others: AsyncIterable<TestClipBatch>,
): AsyncGenerator<TestClipBatch, void> {
  yield first;
  yield* others;
}

/** The clips of one video after the other. */
async function* byVideo(scores: AsyncIterable<ClipScore>): AsyncGenerator<ClipScore[], void> {
  let group: ClipScore[] = [];
  for await (const score of scores) {
    if (group.length > 0 && group[0]!.video !== score.video) {
      yield group;
      group = [];
    }
    group.push(score);
  }
  if (group.length > 0) yield group;
}

function answerOf(scores: readonly ClipScore[], path: string): VideoAnswer {
  const [merged] = mergeViews(scores.map(({ clip, logits }) => ({ id: path, clip, logits })));
  const { probabilities, predicted, views } = merged!;
  const { video, feature } = scores[0]!;
  const mean = feature.map(
    (_, i) => scores.reduce((sum, score) => sum + score.feature[i]!, 0) / scores.length,
  );
  return { video, probabilities, predicted, clips: views, feature: Float32Array.from(mean) };
}
