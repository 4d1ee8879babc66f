import { drawMask } from '@tubelet/mae-dfer';
import { averageMicroBatches, UserError, type Metrics, type StepPosition } from '@tubelet/trainer';
import type { TrainingState } from './training-state.js';
import type { BatchReader } from './train-data.js';
import type { TrainOptions } from './train-settings.js';

/** The loss or the gradient is not a number any more; the weights have not been touched by it. */
export class TrainingDivergedError extends UserError {
  override readonly name = 'TrainingDivergedError';

  constructor(
    readonly step: number,
    readonly loss: number,
    readonly nonFiniteGradients: number,
  ) {
    super(
      `training has diverged: in step ${step + 1} the loss is ${loss} and ${nonFiniteGradients} values of the ` +
        'gradient are not finite. The checkpoints of earlier steps are untouched. Begin a new run with a lower ' +
        '--lr or more --warmup-epochs.',
    );
  }
}

/**
 * One optimiser step: `accumulate` batches forward and backward, then AdamW. Throws `TrainingDivergedError`
 * before it would spoil the weights.
 */
export async function trainStep(
  training: TrainingState,
  batches: BatchReader,
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
  if (nonFinite > 0 || !Number.isFinite(loss)) {
    throw new TrainingDivergedError(position.step, loss, nonFinite);
  }
  optimiser.step({ learningRate });
  return { ...losses, lr: learningRate, 'gradient norm': norm };
}
