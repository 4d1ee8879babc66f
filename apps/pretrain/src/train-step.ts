import { RecordedStep, type StepArrays } from '@tubelet/autograd';
import { drawMask, maskKeyInputs } from '@tubelet/mae-dfer';
import { requireFinite, type EpochReader } from '@tubelet/programs';
import { averageMicroBatches, type Metrics, type StepPosition } from '@tubelet/trainer';
import type { ClipBatch } from '@tubelet/video';
import type { TrainOptions } from './train-settings.js';
import type { TrainingState } from './training-state.js';

/** Takes one optimiser step: `accumulate` batches forward and backward, then AdamW. */
export type TrainStep = (position: StepPosition, learningRate: number) => Promise<Metrics>;

/**
 * The steps of a training. Batches of one shape are recorded when the second of them comes, and replayed from then on.
 * A step throws `TrainingDivergedError` before it would spoil the weights.
 */
export function trainingStep(
  training: TrainingState,
  batches: EpochReader<ClipBatch>,
  { maskRatio, lossWeight, accumulate, recompute, seed }: TrainOptions,
): TrainStep {
  const { engine, model, optimiser, runtime } = training;
  const { frames: clipFrames, imageSize } = model.config.encoder;
  const batchStep = new RecordedStep(engine, {
    stores: [model.store],
    body({ frames, ...key }: StepArrays<'frames' | 'key' | 'samples'>) {
      const mask = drawMask(runtime, model.config.encoder, maskRatio, key);
      const { loss, parts } = model.forward({ frames }, mask, { appearanceWeight: lossWeight, recompute });
      engine.backward(loss, { scale: 1 / accumulate });
      return { parts, gradient: optimiser.gradientNorm() };
    },
  });
  return async (position, learningRate) => {
    let norm = NaN;
    let nonFinite = NaN;
    const losses = await averageMicroBatches(accumulate, async (index) => {
      const batch = await batches.next(position, index);
      const samples = [...batch.sampleIndices];
      const { parts, gradient } = batchStep.run({
        frames: { data: batch.frames, shape: [samples.length, clipFrames, imageSize, imageSize, 3] },
        ...maskKeyInputs({ seed, epoch: position.epoch, samples }),
      });
      // Asked for together, so that a step waits for the GPU once. The norm of the last batch is that of all.
      const [values, ofGradient] = await Promise.all([runtime.read(parts), runtime.read(gradient)]);
      [norm, nonFinite] = [ofGradient[0]!, ofGradient[1]!];
      const [total, appearance, motion] = values;
      return { loss: total!, 'loss/appearance': appearance!, 'loss/motion': motion! };
    });
    const { loss } = losses as { loss: number };
    requireFinite(position.step, loss, nonFinite);
    optimiser.step({ learningRate });
    return { ...losses, lr: learningRate, 'gradient norm': norm };
  };
}
