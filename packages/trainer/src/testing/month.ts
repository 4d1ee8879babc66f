/** Weeks of training as far as the order of clips and the learning rate go, with restarts on other numbers of ranks. */
import { cosineSchedule, scaleLearningRate } from '@tubelet/autograd';
import { EpochSamples } from '../../../video/src/testing/internals.js';
import { countSteps, EpochReader, type EpochSource } from '../training/epoch-reader.js';

export interface MonthOptions {
  /** Clips of each shard. */
  readonly shardSamples: readonly number[];
  readonly epochs: number;
  /** Batches of a step, over all ranks and accumulated. */
  readonly batchesPerStep: number;
  readonly batchSize: number;
  /** Steps from one kill to the next; the run has then gone on for some steps after its last checkpoint. */
  readonly killEvery: number;
  readonly checkpointEvery: number;
  /** Ranks of each part of the run in turn; each divides `batchesPerStep`. */
  readonly ranks: readonly number[];
}

/** What a month came to. */
export interface MonthResult {
  readonly steps: number;
  readonly restarts: number;
  /** Steps that were taken again after a kill. */
  readonly repeatedSteps: number;
  /** Clips that the steps which count have shown. */
  readonly shown: number;
  /** Of them, those that an epoch showed before. */
  readonly shownTwice: number;
  /** Clips that an epoch did not show. */
  readonly leftOut: number;
  /** Of the rates of steps against those of a run without restarts. */
  readonly largestRateDifference: number;
  /** Of the rates of two steps in a row, beside the peak. */
  readonly largestRateStep: number;
}

/** A part of the run between two kills: so many ranks, each with its reader of batches. */
function openPart(
  options: MonthOptions,
  ranks: number,
  orderOf: (samples: EpochSamples, epoch: number) => Uint32Array,
) {
  const { shardSamples, batchSize, batchesPerStep, epochs } = options;
  const accumulate = batchesPerStep / ranks;
  const sampleCount = shardSamples.reduce((sum, samples) => sum + samples, 0);
  const clipsPerStep = batchSize * batchesPerStep;
  const shards = { shardSamples, clipsPerStep, bufferSize: 1000 };
  const plan = { batchSize, accumulate };
  const sources = Array.from({ length: ranks }, (_, rank): EpochSource<Uint32Array> => {
    const samples = new EpochSamples({
      sampleCount,
      batchSize,
      seed: 3,
      shards,
      dropLast: true,
      rank,
      ranks,
    });
    return {
      stepsPerEpoch: samples.stepsPerEpoch,
      async *epoch(epoch, { startStep = 0 }) {
        const order = orderOf(samples, epoch);
        for (let step = startStep; step < samples.stepsPerEpoch; step++) yield samples.ofStep(order, step);
      },
    };
  });
  const stepsPerEpoch = countSteps(sources[0]!, plan);
  const schedule = cosineSchedule({
    ...{ peak: scaleLearningRate(1.5e-4, clipsPerStep), minimum: 1e-5, epochs, stepsPerEpoch },
    warmupEpochs: Math.min(5, epochs - 1),
  });
  return {
    accumulate,
    stepsPerEpoch,
    schedule,
    readers: sources.map((source) => new EpochReader(source, accumulate)),
  };
}

/** Counts what each epoch shows. Every part makes its readers and its schedule anew, as a program does that is started. */
export async function simulateMonth(
  options: MonthOptions,
  onEpoch: (epoch: number) => void = () => {},
): Promise<MonthResult> {
  const { shardSamples, epochs, batchesPerStep, batchSize, killEvery, checkpointEvery, ranks } = options;
  const sampleCount = shardSamples.reduce((sum, samples) => sum + samples, 0);
  let cached: { epoch: number; order: Uint32Array } = { epoch: -1, order: new Uint32Array(0) };
  // The order is the same for all ranks of a part; it is made anew in each part.
  const orderOf = (samples: EpochSamples, epoch: number) => {
    if (cached.epoch !== epoch) cached = { epoch, order: samples.order(epoch) };
    return cached.order;
  };
  const whole = openPart(options, 1, orderOf);
  const totalSteps = whole.stepsPerEpoch * epochs;
  let seen = new Uint8Array(sampleCount);
  const result = { restarts: 0, repeatedSteps: 0, shown: 0, shownTwice: 0, leftOut: 0 };
  let [largestRateDifference, largestRateStep, lastRate] = [0, 0, 0];
  let saved = 0;
  for (let part = 0; saved < totalSteps; part++) {
    cached = { epoch: -1, order: new Uint32Array(0) };
    const { accumulate, stepsPerEpoch, schedule, readers } = openPart(
      options,
      ranks[part % ranks.length]!,
      orderOf,
    );
    if (part > 0) result.restarts++;
    const killed = Math.min(totalSteps, saved + killEvery);
    const kept = killed === totalSteps ? killed : killed - (killed % checkpointEvery);
    for (let step = saved; step < killed; step++) {
      const position = { step, epoch: Math.floor(step / stepsPerEpoch), stepInEpoch: step % stepsPerEpoch };
      const counts = step < kept;
      if (!counts) result.repeatedSteps++;
      for (let index = 0; index < accumulate; index++) {
        for (const reader of readers) {
          for (const sample of await reader.next(position, index)) {
            if (!counts) continue;
            result.shown++;
            if (seen[sample]!++ > 0) result.shownTwice++;
          }
        }
      }
      if (!counts) continue;
      const rate = schedule.at(step);
      largestRateDifference = Math.max(largestRateDifference, Math.abs(rate - whole.schedule.at(step)));
      if (step > 0) largestRateStep = Math.max(largestRateStep, Math.abs(rate - lastRate));
      lastRate = rate;
      if (position.stepInEpoch + 1 === stepsPerEpoch) {
        result.leftOut += seen.reduce((sum, count) => sum + (count === 0 ? 1 : 0), 0);
        seen = new Uint8Array(sampleCount);
        onEpoch(position.epoch);
      }
    }
    for (const reader of readers) await reader.close();
    if (kept <= saved) throw new RangeError('a part ends before its first checkpoint: raise killEvery');
    saved = kept;
  }
  const peak = scaleLearningRate(1.5e-4, batchSize * batchesPerStep);
  return { steps: totalSteps, ...result, largestRateDifference, largestRateStep: largestRateStep / peak };
}
