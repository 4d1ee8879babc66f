import { RecordedStep, softCrossEntropy, type StepArrays } from '@tubelet/autograd';
import { maskKeyInputs } from '@tubelet/mae-dfer';
import { weightUpdate, type EpochReader, type FinishUpdate } from '@tubelet/programs';
import { averageMicroBatches, type Metrics, type StepPosition } from '@tubelet/trainer';
import type { LabelledClipBatch } from '@tubelet/video';
import type { RunOptions } from './train-options.js';
import type { ClassifierTraining } from './training-state.js';

/** Takes one optimiser step: `accumulate` batches forward and backward, clipping, AdamW, the average. */
export type TrainStep = (position: StepPosition, learningRate: number) => Promise<Metrics>;

/**
 * The steps of a training. Batches of one shape are recorded when the second of them comes, and replayed from then on.
 * A step throws `TrainingDivergedError` before it would spoil the weights; under a loss scale it skips what overflows.
 */
export function trainingStep(
  training: ClassifierTraining,
  batches: EpochReader<LabelledClipBatch>,
  { accumulate, recompute, seed, clipGradients }: RunOptions,
): TrainStep {
  const { engine, classifier, optimiser, lossScale, dropPath, runtime } = training;
  const { encoder, classes } = classifier.config;
  const update = weightUpdate({
    runtime,
    optimiser,
    lossScale,
    average: () => training.average,
    maxGradientNorm: clipGradients,
  });
  const batchStep = new RecordedStep(engine, {
    stores: [classifier.store],
    body({ video, targets, ...key }: StepArrays<'video' | 'targets' | 'key' | 'samples'>) {
      const { logits } = classifier.forward({ video }, { dropPath: dropPath.draw(key), recompute });
      const loss = engine.retain(softCrossEntropy(logits, targets));
      engine.backward(loss, { scale: 1 / accumulate, lossScale });
      return { loss: loss.array, measured: update.measure() };
    },
  });
  return async (position, learningRate) => {
    let finish: FinishUpdate | undefined;
    const losses = await averageMicroBatches(accumulate, async (index) => {
      const batch = await batches.next(position, index);
      const samples = [...batch.sampleIndices];
      const size = [3, encoder.frames, encoder.imageSize, encoder.imageSize];
      const result = batchStep.run({
        video: { data: batch.video, shape: [samples.length, ...size] },
        targets: { data: batch.targets, shape: [samples.length, classes] },
        ...maskKeyInputs({ seed, epoch: position.epoch, samples }),
      });
      // Asked for together, so that a step waits for the GPU once. After the last batch the gradient is that of all.
      const isLast = index + 1 === accumulate;
      const [value, ended] = await Promise.all([
        runtime.read(result.loss),
        isLast ? update.begin(learningRate, result.measured) : undefined,
      ]);
      finish = ended;
      return { loss: value[0]! };
    });
    const { loss } = losses as { loss: number };
    return { loss, ...finish!(position.step, loss) };
  };
}
