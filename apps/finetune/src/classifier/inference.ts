import { Engine, loadStateDict } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import { Classifier } from '@tubelet/mae-dfer';
import { ClipPixels, type TestClipBatch } from '@tubelet/video';
import type { ClassifierFile } from './classifier-file.js';

/** What a classifier says of one clip. */
export interface ClipScore {
  /** Which video, and which of its clips: as the loader counts them. */
  readonly video: number;
  readonly clip: number;
  /** [K] */
  readonly logits: Float32Array;
  /** [C]: the pooled feature before the head. */
  readonly feature: Float32Array;
}

/** The classifier of a file, on the GPU. */
export function openClassifier(runtime: Runtime, { description, weights }: ClassifierFile): Classifier {
  const classifier = new Classifier(new Engine(runtime), description.model);
  loadStateDict(classifier.store, weights);
  return classifier;
}

/** Scores clips batch by batch, without gradients. */
export async function* scoreClips(
  classifier: Classifier,
  batches: AsyncIterable<TestClipBatch>,
): AsyncGenerator<ClipScore, void> {
  const { engine } = classifier;
  const pixels = new ClipPixels(engine.runtime, classifier.config.encoder.imageSize);
  try {
    for await (const { clips, videoIndices, clipIndices } of batches) {
      const frames = pixels.frames(clips);
      const [logits, features] = await engine.step(() =>
        engine.noGrad(() => {
          const { logits, feature } = classifier.forward({ frames });
          return Promise.all([engine.runtime.read(logits.array), engine.runtime.read(feature.array)]);
        }),
      );
      for (const [i, video] of videoIndices.entries()) {
        const row = <T extends Float32Array>(all: T) =>
          all.slice((i * all.length) / videoIndices.length, ((i + 1) * all.length) / videoIndices.length);
        yield { video, clip: clipIndices[i]!, logits: row(logits!), feature: row(features!) };
      }
    }
  } finally {
    pixels.release();
  }
}
