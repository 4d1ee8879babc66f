import { drawMask } from '@tubelet/mae-dfer';
import { requireFinite, type EpochReader } from '@tubelet/programs';
import { averageMicroBatches, type Metrics, type StepPosition } from '@tubelet/trainer';
import type { TrainingState } from './training-state.js';
import type { ClipBatch } from '@tubelet/video';
import type { TrainOptions } from './train-settings.js';

/**
 * One optimiser step: `accumulate` batches forward and backward, then AdamW. Throws `TrainingDivergedError`
 * before it would spoil the weights.
 */
export async function trainStep(
  training: TrainingState,
  batches: EpochReader<ClipBatch>,
  options: TrainOptions,
  position: StepPosition,
  learningRate: number,
): Promise<Metrics> {
  const { engine, model, optimiser, runtime } = training;
  const { frames: clipFrames, imageSize } = model.config.encoder;
  let norm = NaN;
  let nonFinite = NaN;
  const losses = await averageMicroBatches(options.accumulate, async (index) => {
    const batch = await batches.next(position, index);
    const samples = [...batch.sampleIndices];
    return engine.step(async () => {
      const shape = [samples.length, clipFrames, imageSize, imageSize, 3];
      const frames = runtime.upload(batch.frames, shape, 'u8', 'frames');
      const { epoch } = position;
      const mask = drawMask(runtime, model.config.encoder, options.maskRatio, {
        seed: options.seed,
        epoch,
        samples,
      });
      const { loss, parts } = model.forward({ frames }, mask, { appearanceWeight: options.lossWeight });
      engine.backward(loss, { scale: 1 / options.accumulate });
      // Asked for together, so that a step waits for the GPU once.
      const isLast = index === options.accumulate - 1;
      const [values, gradient] = await Promise.all([
        runtime.read(parts),
        isLast ? runtime.read(optimiser.gradientNorm()) : undefined,
      ]);
      if (gradient) [norm, nonFinite] = [gradient[0]!, gradient[1]!];
      const [total, appearance, motion] = values;
      return { loss: total!, 'loss/appearance': appearance!, 'loss/motion': motion! };
    });
  });
  const { loss } = losses as { loss: number };
  requireFinite(position.step, loss, nonFinite);
  optimiser.step({ learningRate });
  return { ...losses, lr: learningRate, 'gradient norm': norm };
}
