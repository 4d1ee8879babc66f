/** A classifier that is small enough to be made and run in a moment. */
import { Engine, readStateDict } from '@tubelet/autograd';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { Classifier, lgiFormer, type LgiFormerConfig } from '@tubelet/mae-dfer';
import { saveCheckpoint } from '@tubelet/trainer/formats';
import { describeClassifier, type ClassifierDescription } from '../classifier/classifier-file.js';

/** Two regions of 1×2×2 cubes: clips of 4 frames of 32×32 pixels. */
export const TINY_ENCODER: LgiFormerConfig = lgiFormer('tiny', {
  imageSize: 32,
  frames: 4,
  dim: 32,
  depth: 2,
  heads: 2,
  region: [1, 2, 2],
});

/** What may be told of a tiny classifier in place of the defaults. */
export interface TinyClassifierOptions {
  readonly classNames?: readonly string[];
  readonly encoder?: LgiFormerConfig;
  readonly frameStep?: number;
  readonly seed?: number;
}

/** The description of a tiny classifier: three classes, clips of every second frame, whole frames. */
export function tinyDescription({
  classNames = ['glad', 'calm', 'sad'],
  encoder = TINY_ENCODER,
  frameStep = 2,
}: TinyClassifierOptions = {}): ClassifierDescription {
  return {
    model: { encoder, classes: classNames.length, pooling: 'representative' },
    classNames,
    clips: { frameStep, crop: 'none' },
    data: { name: 'csv', fold: 1 },
  };
}

/**
 * Writes the checkpoint of a classifier with random weights, its head large enough for its answers to differ from
 * video to video. Equal options give equal bytes. Opens the GPU and closes it again.
 */
export async function writeTinyClassifier(
  path: string,
  options: TinyClassifierOptions = {},
): Promise<ClassifierDescription> {
  const description = tinyDescription(options);
  const runtime = await openNodeRuntime();
  try {
    const classifier = new Classifier(new Engine(runtime), description.model, { headScale: 50 });
    classifier.initialise(options.seed ?? 0);
    await saveCheckpoint(path, {
      tensors: await readStateDict(classifier.store),
      metadata: describeClassifier(description),
    });
  } finally {
    closeNodeRuntime(runtime);
  }
  return description;
}
