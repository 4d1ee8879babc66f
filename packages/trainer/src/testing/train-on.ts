import { EpochReader, type EpochSource } from '../training/epoch-reader.js';
import { positionOfStep } from '../training/loop.js';
import { trainingStep } from '../training/train-step.js';
import type { TrainedModel } from '../training/task.js';
import type { CheckpointContent } from '../formats/checkpoint.js';
import type { Metrics } from '../program/meters.js';

export interface Trained {
  readonly metrics: Metrics[];
  readonly content: CheckpointContent;
}

export interface TrainingStretch {
  /** Batches of a step. */
  readonly accumulate: number;
  /** Steps that are done before the first one here; default 0. */
  readonly at?: number | undefined;
  readonly until: number;
  readonly lr: number;
}

/** Takes some steps of a training, one after the other, and gives what they left. */
export async function trainOn<Batch>(
  model: TrainedModel<Batch>,
  source: EpochSource<Batch>,
  { accumulate, at = 0, until, lr }: TrainingStretch,
): Promise<Trained> {
  const step = trainingStep(model, new EpochReader(source, accumulate), accumulate);
  const metrics: Metrics[] = [];
  for (let i = at; i < until; i++) {
    const position = positionOfStep(i, source.stepsPerEpoch / accumulate);
    metrics.push(await (await step(position, lr)).settle());
  }
  return { metrics, content: await model.checkpoint(until) };
}
