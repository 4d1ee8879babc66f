import { UserError } from '../errors.js';
import type { StepPosition } from './loop.js';

/** What gives batches epoch by epoch, such as a loader of clips. */
export interface EpochSource<Batch> {
  readonly stepsPerEpoch: number;
  epoch(epoch: number, options: { startStep?: number }): AsyncIterable<Batch>;
}

/** How many batches are on the GPU at once, and how many of them make a step. */
export interface BatchPlan {
  readonly batchSize: number;
  readonly accumulate: number;
}

/**
 * Optimiser steps of an epoch.
 *
 * @throws UserError when there is none
 */
export function countSteps<Batch>(
  { stepsPerEpoch }: EpochSource<Batch>,
  { batchSize, accumulate }: BatchPlan,
  remedy = '',
): number {
  const steps = Math.floor(stepsPerEpoch / accumulate);
  if (steps > 0) return steps;
  throw new UserError(
    `an epoch has ${stepsPerEpoch} batches of ${batchSize}, fewer than the ${accumulate} of --accumulate: ` +
      `lower it or --batch-size${remedy}`,
  );
}

/** Batches of an epoch in order, from any step on. */
export class EpochReader<Batch> {
  private iterator: AsyncIterator<Batch> | undefined;
  private epoch = -1;
  private first: Batch | undefined;

  constructor(
    private readonly source: EpochSource<Batch>,
    private readonly accumulate: number,
  ) {}

  /** Reads the first batch of a new run, so that a data set without any readable video is known beforehand. */
  async readFirst(): Promise<void> {
    this.first = await this.next({ step: 0, epoch: 0, stepInEpoch: 0 }, 0);
  }

  /** The `index`-th batch of a step. */
  async next({ epoch, stepInEpoch }: StepPosition, index: number): Promise<Batch> {
    const { first } = this;
    this.first = undefined;
    if (first !== undefined) return first;
    if (epoch !== this.epoch) {
      await this.close();
      const startStep = stepInEpoch * this.accumulate + index;
      this.iterator = this.source.epoch(epoch, { startStep })[Symbol.asyncIterator]();
      this.epoch = epoch;
    }
    const { value, done } = await this.iterator!.next();
    if (done) throw new Error(`epoch ${epoch} ended before step ${stepInEpoch}, batch ${index}`);
    return value;
  }

  async close(): Promise<void> {
    await this.iterator?.return?.();
    this.iterator = undefined;
  }
}
