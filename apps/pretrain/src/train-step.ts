import { RecordedStep, type StepArrays } from '@tubelet/autograd';
import { drawMask, maskKeyInputs } from '@tubelet/mae-dfer';
import { weightUpdate, type EpochReader, type FinishUpdate } from '@tubelet/programs';
import { averageMicroBatches, type Metrics, type StepPosition } from '@tubelet/trainer';
import type { ClipBatch } from '@tubelet/video';
import type { TrainOptions } from './train-settings.js';
import type { TrainingState } from './training-state.js';

/** Takes one optimiser step: `accumulate` batches forward and backward, then AdamW. */
export type TrainStep = (position: StepPosition, learningRate: number) => Promise<Metrics>;

/**
 * The steps of a training. Batches of one shape are recorded when the second of them comes, and replayed from then on.
 * A step throws `TrainingDivergedError` before it would spoil the weights; under a loss scale it skips what overflows.
 */
export function trainingStep(
  training: TrainingState,
  batches: EpochReader<ClipBatch>,
  { maskRatio, lossWeight, accumulate, recompute, seed }: TrainOptions,
): TrainStep {
  const { engine, model, optimiser, lossScale, runtime } = training;
  const { frames: clipFrames, imageSize } = model.config.encoder;
  const update = weightUpdate({ runtime, optimiser, lossScale });
  const batchStep = new RecordedStep(engine, {
    stores: [model.store],
    body({ frames, ...key }: StepArrays<'frames' | 'key' | 'samples'>) {
      const mask = drawMask(runtime, model.config.encoder, maskRatio, key);
      const { loss, parts } = model.forward({ frames }, mask, { appearanceWeight: lossWeight, recompute });
      engine.backward(loss, { scale: 1 / accumulate, lossScale });
      return { parts, measured: update.measure() };
    },
  });
  return async (position, learningRate) => {
    let finish: FinishUpdate | undefined;
    const losses = await averageMicroBatches(accumulate, async (index) => {
      const batch = await batches.next(position, index);
      const samples = [...batch.sampleIndices];
      const { parts, measured } = batchStep.run({
        frames: { data: batch.frames, shape: [samples.length, clipFrames, imageSize, imageSize, 3] },
        ...maskKeyInputs({ seed, epoch: position.epoch, samples }),
      });
      // Asked for together, so that a step waits for the GPU once. After the last batch the gradient is that of all.
      const isLast = index + 1 === accumulate;
      const [values, ended] = await Promise.all([
        runtime.read(parts),
        isLast ? update.begin(learningRate, measured) : undefined,
      ]);
      finish = ended;
      const [total, appearance, motion] = values;
      return { loss: total!, 'loss/appearance': appearance!, 'loss/motion': motion! };
    });
    const { loss } = losses as { loss: number };
    return { ...losses, ...finish!(position.step, loss) };
  };
}
