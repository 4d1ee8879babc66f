/** Which samples each batch of an epoch has, and what stands in for those that cannot be read. */
import { PhiloxStream } from '@tubelet/kernels';
import type { Catalogue } from './catalogue';
import { requireInteger } from './check-options';
import { VideoDecodeError } from './errors';
import { Purpose } from './stream-purposes';

/** The share of each global batch that a process loads: `batchSize` of `batchSize · count` samples. */
export interface Shard {
  index: number;
  count: number;
}

export interface EpochSamplesOptions {
  /** Samples of an epoch, over all shards. */
  sampleCount: number;
  /** Samples of a batch of one shard. */
  batchSize: number;
  seed: number;
  shard: Shard;
  /** Leave out the last batch where it is not full. */
  dropLast: boolean;
}

/** Throws a RangeError unless the shard is one of its count. */
export function checkShard({ index, count }: Shard): void {
  requireInteger('shard.count', count, 1);
  requireInteger('shard.index', index, 0);
  if (index >= count) throw new RangeError(`shard.index is ${index}: it must be below shard.count ${count}.`);
}

/** The samples of epochs in batches: an order for each epoch, from (seed, shuffle, epoch), cut into steps. */
export class EpochSamples {
  constructor(private readonly options: EpochSamplesOptions) {}

  get stepsPerEpoch(): number {
    const { sampleCount, batchSize, shard, dropLast } = this.options;
    const steps = sampleCount / (batchSize * shard.count);
    return dropLast ? Math.floor(steps) : Math.ceil(steps);
  }

  /** The samples of an epoch, over all shards. */
  order(epoch: number): Uint32Array {
    const order = new Uint32Array(this.options.sampleCount);
    for (let i = 0; i < order.length; i++) order[i] = i;
    return new PhiloxStream({ seed: this.options.seed, purpose: Purpose.shuffle, epoch }).shuffle(order);
  }

  /** The shard's part of a step. */
  ofStep(order: Uint32Array, step: number): Uint32Array<ArrayBuffer> {
    const { batchSize } = this.options;
    const begin = this.batchNumber(step) * batchSize;
    return order.slice(begin, begin + batchSize) as Uint32Array<ArrayBuffer>;
  }

  /** Counts the batches of an epoch over all shards: the same one for the same samples of an order. */
  batchNumber(step: number): number {
    const { shard } = this.options;
    return step * shard.count + shard.index;
  }

  /**
   * Loads a sample; where that fails, others drawn in its place from (seed, replacement, epoch, sample), until one can
   * be read. A file that failed before is tried again: it may be damaged in part, and what this sample gets must not
   * depend on what was loaded earlier.
   *
   * @param entryOf the entry of the catalogue that a sample is of.
   * @throws NoReadableVideoError when no file is left.
   */
  async load<T>(
    catalogue: Catalogue,
    { epoch, sample }: { epoch: number; sample: number },
    entryOf: (candidate: number) => number,
    load: (candidate: number) => Promise<T>,
  ): Promise<T> {
    const { seed, sampleCount } = this.options;
    const standIns = new PhiloxStream({ seed, purpose: Purpose.replacement, epoch, sample });
    for (let candidate = sample; ; candidate = standIns.integer(sampleCount)) {
      try {
        return await load(candidate);
      } catch (error) {
        if (!(error instanceof VideoDecodeError)) throw error;
        catalogue.markBad(entryOf(candidate), error);
      }
      if (catalogue.allBad()) throw catalogue.noneLeftError();
    }
  }
}
