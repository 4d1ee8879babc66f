import { softCrossEntropy } from '@tubelet/autograd';
import { requireFinite, type EpochReader } from '@tubelet/programs';
import { averageMicroBatches, type Metrics, type StepPosition } from '@tubelet/trainer';
import type { LabelledClipBatch } from '@tubelet/video';
import type { RunOptions } from './train-options.js';
import type { ClassifierTraining } from './training-state.js';

/** PyTorch's clip_grad_norm_ adds it to the norm before dividing. */
const CLIP_EPSILON = 1e-6;

/** The factor that brings a gradient of this norm within the limit. */
export function clippingFactor(norm: number, limit: number | undefined): number {
  return limit === undefined ? 1 : Math.min(1, limit / (norm + CLIP_EPSILON));
}

/**
 * One optimiser step: `accumulate` batches forward and backward, clipping, AdamW, the average. Throws
 * `TrainingDivergedError` before it would spoil the weights.
 */
export async function trainStep(
  training: ClassifierTraining,
  batches: EpochReader<LabelledClipBatch>,
  options: RunOptions,
  position: StepPosition,
  learningRate: number,
): Promise<Metrics> {
  const { engine, classifier, optimiser, dropPath, runtime } = training;
  const { encoder, classes } = classifier.config;
  let norm = NaN;
  let nonFinite = NaN;
  const losses = await averageMicroBatches(options.accumulate, async (index) => {
    const batch = await batches.next(position, index);
    const samples = [...batch.sampleIndices];
    const size = [3, encoder.frames, encoder.imageSize, encoder.imageSize];
    return engine.step(async () => {
      const video = runtime.upload(batch.video, [samples.length, ...size], 'f32', 'clips');
      const targets = runtime.upload(batch.targets, [samples.length, classes], 'f32', 'targets');
      const draws = dropPath.draw({ seed: options.seed, epoch: position.epoch, samples });
      const { logits } = classifier.forward({ video }, { dropPath: draws });
      const loss = softCrossEntropy(logits, targets);
      engine.retain(loss);
      engine.backward(loss, { scale: 1 / options.accumulate });
      // Asked for together, so that a step waits for the GPU once.
      const isLast = index === options.accumulate - 1;
      const [value, gradient] = await Promise.all([
        runtime.read(loss.array),
        isLast ? runtime.read(optimiser.gradientNorm()) : undefined,
      ]);
      if (gradient) [norm, nonFinite] = [gradient[0]!, gradient[1]!];
      return { loss: value[0]! };
    });
  });
  const { loss } = losses as { loss: number };
  requireFinite(position.step, loss, nonFinite);
  optimiser.step({ learningRate, gradientScale: clippingFactor(norm, options.clipGradients) });
  training.average?.update();
  return { loss, lr: learningRate, 'gradient norm': norm };
}
