import { RecordedStep, softCrossEntropy, type StepArrays } from '@tubelet/autograd';
import { maskKeyInputs } from '@tubelet/mae-dfer';
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

/** Takes one optimiser step: `accumulate` batches forward and backward, clipping, AdamW, the average. */
export type TrainStep = (position: StepPosition, learningRate: number) => Promise<Metrics>;

/**
 * The steps of a training. Batches of one shape are recorded when the second of them comes, and replayed from then on.
 * A step throws `TrainingDivergedError` before it would spoil the weights.
 */
export function trainingStep(
  training: ClassifierTraining,
  batches: EpochReader<LabelledClipBatch>,
  { accumulate, recompute, seed, clipGradients }: RunOptions,
): TrainStep {
  const { engine, classifier, optimiser, dropPath, runtime } = training;
  const { encoder, classes } = classifier.config;
  const batchStep = new RecordedStep(engine, {
    stores: [classifier.store],
    body({ video, targets, ...key }: StepArrays<'video' | 'targets' | 'key' | 'samples'>) {
      const { logits } = classifier.forward({ video }, { dropPath: dropPath.draw(key), recompute });
      const loss = engine.retain(softCrossEntropy(logits, targets));
      engine.backward(loss, { scale: 1 / accumulate });
      return { loss: loss.array, gradient: optimiser.gradientNorm() };
    },
  });
  return async (position, learningRate) => {
    let norm = NaN;
    let nonFinite = NaN;
    const losses = await averageMicroBatches(accumulate, async (index) => {
      const batch = await batches.next(position, index);
      const samples = [...batch.sampleIndices];
      const size = [3, encoder.frames, encoder.imageSize, encoder.imageSize];
      const result = batchStep.run({
        video: { data: batch.video, shape: [samples.length, ...size] },
        targets: { data: batch.targets, shape: [samples.length, classes] },
        ...maskKeyInputs({ seed, epoch: position.epoch, samples }),
      });
      // Asked for together, so that a step waits for the GPU once. The norm of the last batch is that of all.
      const [value, ofGradient] = await Promise.all([
        runtime.read(result.loss),
        runtime.read(result.gradient),
      ]);
      [norm, nonFinite] = [ofGradient[0]!, ofGradient[1]!];
      return { loss: value[0]! };
    });
    const { loss } = losses as { loss: number };
    requireFinite(position.step, loss, nonFinite);
    optimiser.step({ learningRate, gradientScale: clippingFactor(norm, clipGradients) });
    training.average?.update();
    return { loss, lr: learningRate, 'gradient norm': norm };
  };
}
