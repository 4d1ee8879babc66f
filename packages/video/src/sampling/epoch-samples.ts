/** Which samples each batch of an epoch has, and what stands in for those that cannot be read. */
import { PhiloxStream } from '@tubelet/kernels';
import type { Catalogue } from '../loader/catalogue.js';
import { requireInteger } from '../check-options.js';
import { VideoDecodeError } from '../errors.js';
import { orderShards, type ShardReading } from '../shards/shard-order.js';
import { Purpose } from '../stream-purposes.js';

/** Which part of each global batch a process loads: `batchSize` of `batchSize · ranks` samples. */
export interface Rank {
  /** Of this process, counted from 0. */
  rank: number;
  /** Processes that load together. */
  ranks: number;
}

export interface EpochSamplesOptions extends Rank {
  /** Samples of an epoch, over all ranks. */
  sampleCount: number;
  /** Samples of a batch of one rank. */
  batchSize: number;
  seed: number;
  /** Where the samples lie in shards: how they are to be read. Without it, an epoch is one shuffle of all samples. */
  shards?: ShardReading;
  /** Leave out the last batch where it is not full. */
  dropLast: boolean;
}

/** @throws RangeError unless the rank is one of the ranks */
export function checkRank({ rank, ranks }: Rank): void {
  requireInteger('ranks', ranks, 1);
  requireInteger('rank', rank, 0);
  if (rank >= ranks) throw new RangeError(`rank is ${rank}: it must be below the ${ranks} of ranks.`);
}

/** Samples that fail in place of one before files that have all failed are given up: few, since each may take long. */
const CANDIDATES = 50;

/** The samples of epochs in batches: an order for each epoch, from (seed, shuffle, epoch), cut into steps. */
export class EpochSamples {
  constructor(private readonly options: EpochSamplesOptions) {}

  get sampleCount(): number {
    return this.options.sampleCount;
  }

  get stepsPerEpoch(): number {
    const { sampleCount, batchSize, ranks, dropLast } = this.options;
    const steps = sampleCount / (batchSize * ranks);
    return dropLast ? Math.floor(steps) : Math.ceil(steps);
  }

  /** The samples of an epoch, over all ranks, each once. */
  order(epoch: number): Uint32Array {
    const { seed, shards } = this.options;
    if (shards !== undefined) return orderShards(shards, seed, epoch);
    const order = new Uint32Array(this.options.sampleCount);
    for (let i = 0; i < order.length; i++) order[i] = i;
    return new PhiloxStream({ seed, purpose: Purpose.shuffle, epoch }).shuffle(order);
  }

  /** The rank's part of a step. */
  ofStep(order: Uint32Array, step: number): Uint32Array<ArrayBuffer> {
    const { batchSize } = this.options;
    const begin = this.batchNumber(step) * batchSize;
    return order.slice(begin, begin + batchSize) as Uint32Array<ArrayBuffer>;
  }

  /** Counts the batches of an epoch over all ranks: the same one for the same samples of an order. */
  batchNumber(step: number): number {
    const { rank, ranks } = this.options;
    return step * ranks + rank;
  }

  /**
   * Loads a sample; where that fails, others drawn in its place from (seed, replacement, epoch, sample), until one can
   * be read. A file that failed before is tried again: it may be damaged in part, and what this sample gets must not
   * depend on what was loaded earlier.
   *
   * @param entryOf the entry of the catalogue that a sample is of.
   * @throws NoReadableVideoError when every file has failed, and so have many samples in place of this one.
   */
  async load<T>(
    catalogue: Catalogue,
    { epoch, sample }: { readonly epoch: number; readonly sample: number },
    entryOf: (candidate: number) => number,
    load: (candidate: number) => Promise<T>,
  ): Promise<T> {
    const { seed, sampleCount } = this.options;
    const standIns = new PhiloxStream({ seed, purpose: Purpose.replacement, epoch, sample });
    const failed = new Set<number>();
    for (let candidate = sample; ; candidate = standIns.integer(sampleCount)) {
      try {
        return await load(candidate);
      } catch (error) {
        if (!(error instanceof VideoDecodeError)) throw error;
        catalogue.markBad(entryOf(candidate), error);
        failed.add(candidate);
      }
      // In a long run each of a few files may fail once, and nearly all of their clips be whole.
      if (catalogue.allBad() && failed.size >= Math.min(sampleCount, CANDIDATES))
        throw catalogue.noneLeftError();
    }
  }
}
