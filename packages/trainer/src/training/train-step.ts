import type { StepTensors } from '@tubelet/autograd';
import { SKIPPED_STEPS, type Metrics } from '../program/meters.js';
import { Divergence } from './divergence.js';
import type { EpochReader } from './epoch-reader.js';
import type { PendingStep, StepPosition } from './loop.js';
import { communicationMetrics, type SharedSteps } from './ranks.js';
import type { SkippedRecord } from './skipped-steps.js';
import type { ClipOrigins, SteppedModel } from './task.js';
import { nowMs, type Trace } from './trace.js';

/** Hands one optimiser step to the GPU: so many batches forward and backward, then AdamW and the average. */
export type TrainStep = (position: StepPosition, learningRate: number) => Promise<PendingStep>;

// One computes while the next is made ready; more would only fill the memory with clips that wait.
const BATCHES_IN_FLIGHT = 2;

/** What a step has to do with besides its model and batches. */
export interface StepSurroundings<Batch> {
  /** The steps that this rank takes together with others; absent where it is alone. */
  readonly shared?: SharedSteps | undefined;
  /** Is told what was waited for, and when. */
  readonly trace?: Trace | undefined;
  /** Skipped steps in a row with which the training ends; see `Divergence`. */
  readonly maxSkipped?: number | undefined;
  /** Writes down steps that were skipped for what a loss scale does not explain. */
  readonly skipped?: SkippedRecord<Batch> | undefined;
}

/**
 * The steps of a training. Batches of one shape are recorded when the second of them comes, and replayed from then on.
 *
 * A step is handed to the GPU without waiting for what comes out of it. So it is the GPU that decides, by the norm of
 * all gradients, whether it counts: where a value is not finite, weights, moments and average stay as they were (see
 * `LossScale`). To settle a step throws `TrainingDivergedError` where that has happened too often.
 *
 * @param accumulate batches whose gradients make one step, on each rank
 */
export function trainingStep<Batch>(
  model: SteppedModel<Batch>,
  batches: EpochReader<Batch>,
  accumulate: number,
  { shared, trace, maxSkipped, skipped: record }: StepSurroundings<Batch> = {},
): TrainStep {
  const { engine, optimiser, lossScale, average, losses: names } = model;
  const { runtime } = engine;
  const divergence = new Divergence(maxSkipped);
  const reduction = shared?.reduction;
  /** Of a batch in the mean over all that make a step. */
  const weight = 1 / (accumulate * (shared?.ranks.size ?? 1));
  const forwardBackward = (batch: StepTensors<string>) => {
    const { loss, losses } = model.forward(batch);
    loss.backward({ scale: weight, lossScale, observer: reduction });
    return losses;
  };
  const inFlight: Promise<unknown>[] = [];
  /** From here on nobody may be waiting for it: the error is told to whoever asks for the outcome. */
  const heldBack = <T>(promise: Promise<T>): Promise<T> => {
    promise.catch(() => undefined);
    return promise;
  };

  return async (position, learningRate) => {
    const reads: Promise<Float32Array>[] = [];
    const origins: ClipOrigins[] = [];
    let [dataWaitMs, gpuWaitMs] = [0, 0];
    for (let index = 0; index < accumulate; index++) {
      const askedMs = nowMs();
      const batch = await batches.next(position, index);
      const gotMs = nowMs();
      if (record) origins.push(record.originsOf(batch));
      while (inFlight.length >= BATCHES_IN_FLIGHT) await inFlight.shift();
      const readyMs = nowMs();
      dataWaitMs += gotMs - askedMs;
      gpuWaitMs += readyMs - gotMs;
      const name = `step ${position.step + 1}, batch ${index + 1}`;
      trace?.span('waiting for data', name, askedMs, gotMs);
      if (readyMs > gotMs) trace?.span('waiting for the GPU', name, gotMs, readyMs);
      if (index + 1 === accumulate) reduction?.begin();
      const inputs = model.inputs(batch, position.epoch);
      const losses = await engine.step(forwardBackward, { inputs, record: reduction?.plan ?? true });
      const read = heldBack(runtime.read(losses));
      inFlight.push(read);
      reads.push(read);
    }
    const beganMs = nowMs();
    const communication = await reduction?.finish();
    if (communication) trace?.span('waiting for ranks', `step ${position.step + 1}`, beganMs, nowMs());
    // Here the gradients of the step are complete, and nothing has been decided on them.
    optimiser.step({ learningRate });
    average?.update({ lossScale });
    const outcome = heldBack(lossScale.read());

    const settle = async (): Promise<Metrics> => {
      const values = await Promise.all(reads);
      const own = names.map((_, i) => values.reduce((sum, one) => sum + one[i]!, 0) / accumulate);
      const losses = shared ? await shared.meanOf(own) : own;
      const { gradientNorm, scale, skippedSteps, skipped } = await outcome;
      const byName = Object.fromEntries(names.map((name, i) => [name, losses[i]!]));
      // Under a dynamic scale a gradient may overflow though all is well; a loss may not.
      if (skipped && (!lossScale.dynamic || !Number.isFinite(losses[0]))) {
        const made = lossScale.dynamic ? 2 * scale : scale;
        await record?.record({ position, learningRate, losses: byName, lossScale: made, batches: origins });
      }
      divergence.check(position.step, losses[0]!, lossScale, { scale, skippedSteps, skipped });
      return {
        ...byName,
        lr: learningRate,
        'gradient norm': gradientNorm,
        ...(lossScale.dynamic && { 'loss scale': scale }),
        ...(communication && communicationMetrics(communication)),
        ...((lossScale.dynamic || skippedSteps > 0) && { [SKIPPED_STEPS]: skippedSteps }),
      };
    };
    return { position, dataWaitMs, gpuWaitMs, settle };
  };
}
