import { GpuArray, type PartialSums, type Readback } from '@tubelet/kernels';
import type { GradientObserver } from '../engine/tensor.js';
import type { ParameterBank, ParameterStore } from '../parameters/parameter-store.js';

/** Adds `values` up over all ranks, element by element, into `sums`, which has the same length. */
export type SumOverRanks = (values: Float32Array, sums: Float32Array) => Promise<void>;

/** A run of elements of one bank, which is reduced as a whole. */
interface Bucket {
  readonly array: GpuArray;
  /** Of a backward pass: how often operations reach it. Undefined until one has been seen. */
  touches: number | undefined;
  touchesSoFar: number;
  isStarted: boolean;
  readonly readback: Readback;
  readonly sums: Float32Array<ArrayBuffer>;
}

/** What a step's reduction took, in milliseconds. */
export interface ReductionTimes {
  /** While a bucket that had been read was being summed, slower ranks included. */
  readonly durationMs: number;
  /** Of that, after the backward pass had come to its end: the rest lay beside it. */
  readonly waitedMs: number;
}

const DEFAULT_BUCKET_BYTES = 25 << 20;

/**
 * Sums the gradients of a model over ranks that each have a part of the batch, in buckets: one whose last gradient has
 * been dispatched is read back and summed while the GPU goes on with the rest of the backward pass (Li et al., 2020,
 * "PyTorch Distributed"). The order of buckets is that of the pass, which is the same on all ranks.
 *
 * When a bucket is complete is learnt from the first pass, after which all are reduced at its end: how often operations
 * reach it. A recorded step around the backward pass must therefore be told `plan`.
 */
export class GradientReduction implements GradientObserver {
  private readonly buckets: Bucket[] = [];
  private readonly bucketsOf = new Map<GpuArray, readonly Bucket[]>();
  /** Buckets that the operation under way reaches. */
  private reachedNow = new Set<Bucket>();
  private isLearnt = false;
  private isArmed = false;
  /** Fulfilled when the sums that were begun last are on their way. */
  private order: Promise<unknown> = Promise.resolve();
  private running: Promise<void>[] = [];
  private times = { busyMs: 0, lastReadMs: 0, lastSumMs: 0 };

  /**
   * @param bucketBytes size of a bucket; the last of a bank may be half as large again
   */
  constructor(
    private readonly store: ParameterStore,
    private readonly sumOverRanks: SumOverRanks,
    { bucketBytes = DEFAULT_BUCKET_BYTES }: { readonly bucketBytes?: number } = {},
  ) {
    const most = Math.max(1, Math.floor(bucketBytes / 4));
    for (const bank of store.banks) {
      // From the end, which a backward pass reaches first.
      for (let end = bank.size; end > 0;) {
        const start = end <= 1.5 * most ? 0 : end - most;
        this.buckets.push(this.createBucket(bank, start, end));
        end = start;
      }
    }
  }

  /** Names what a recorded step with this reduction depends on; see `StepOptions.record`. */
  get plan(): string {
    return this.isLearnt ? 'buckets' : 'one reduction';
  }

  /** Announces the last backward pass of a step: what is complete from then on is reduced. */
  begin(): void {
    this.isArmed = true;
    this.running = [];
    this.times = { busyMs: 0, lastReadMs: 0, lastSumMs: 0 };
    for (const bucket of this.buckets) bucket.isStarted = false;
  }

  reached(gradient: GpuArray): void {
    for (const bucket of this.find(gradient)) {
      bucket.touchesSoFar++;
      this.reachedNow.add(bucket);
    }
  }

  operationDone(partialSums: PartialSums): void {
    for (const bucket of this.reachedNow) {
      if (!this.isLearnt || bucket.touches === undefined || bucket.touchesSoFar < bucket.touches) continue;
      if (bucket.touchesSoFar > bucket.touches) {
        throw new Error(
          'a backward pass reaches parameters more often than the first one did: a reduction in buckets needs the ' +
            'same operations in every pass',
        );
      }
      if (partialSums.awaits(bucket.array)) partialSums.flush();
      this.store.engine.runtime.act(() => {
        if (this.isArmed) this.start(bucket);
      });
    }
    this.reachedNow.clear();
  }

  passDone(): void {
    for (const bucket of this.buckets) {
      if (!this.isLearnt) bucket.touches = this.isComplete(bucket) ? bucket.touchesSoFar : undefined;
      bucket.touchesSoFar = 0;
    }
    this.isLearnt = true;
  }

  /**
   * Waits until the gradients of all parameters are those of all ranks together: what comes next on the GPU finds them
   * in place. Parameters that no gradient reached count as having one of zero.
   */
  async finish(): Promise<ReductionTimes> {
    this.store.completeGradients();
    for (const bucket of this.buckets) if (!bucket.isStarted) this.start(bucket);
    await Promise.all(this.running);
    this.isArmed = false;
    const { busyMs, lastReadMs, lastSumMs } = this.times;
    return { durationMs: busyMs, waitedMs: lastSumMs - lastReadMs };
  }

  /** Returns the memory of the host. */
  release(): void {
    for (const { readback } of this.buckets) readback.destroy();
  }

  private start(bucket: Bucket): void {
    const { runtime } = this.store.engine;
    bucket.isStarted = true;
    const read = bucket.readback.read(bucket.array);
    const begun = this.order.then(async () => {
      const values = await read;
      const readMs = performance.now();
      this.times.lastReadMs = readMs;
      return { sum: this.sumOverRanks(values, bucket.sums), readMs };
    });
    // The next bucket need not wait for this sum, only to be asked for after it.
    this.order = begun.catch(() => undefined);
    const done = begun.then(async ({ sum, readMs }) => {
      await sum;
      const { times } = this;
      const endedMs = performance.now();
      times.busyMs += endedMs - Math.max(readMs, times.lastSumMs);
      times.lastSumMs = endedMs;
      bucket.readback.release();
      runtime.write(bucket.array, bucket.sums);
    });
    // `finish` tells of it.
    done.catch(() => undefined);
    this.running.push(done);
  }

  private createBucket(bank: ParameterBank, start: number, end: number): Bucket {
    const { runtime } = this.store.engine;
    const size = end - start;
    const array = new GpuArray(bank.gradients.storage, 'f32', [size], undefined, start);
    return {
      array,
      touches: undefined,
      touchesSoFar: 0,
      isStarted: false,
      readback: runtime.readback(size, 'gradients to be summed'),
      sums: new Float32Array(size),
    };
  }

  /** Whether every parameter of a bucket has a gradient. */
  private isComplete(bucket: Bucket): boolean {
    for (const parameter of this.store.parameters.values()) {
      if (!parameter.hasGradient && this.find(parameter.gradient).includes(bucket)) return false;
    }
    return true;
  }

  private find(gradient: GpuArray): readonly Bucket[] {
    let found = this.bucketsOf.get(gradient);
    if (!found) {
      found = this.buckets.filter(({ array }) => overlap(array, gradient));
      this.bucketsOf.set(gradient, found);
    }
    return found;
  }
}

function overlap(a: GpuArray, b: GpuArray): boolean {
  const start = ({ storage, offset }: GpuArray) => storage.offsetBytes + 4 * offset;
  return (
    a.storage.buffer === b.storage.buffer &&
    start(a) < start(b) + b.sizeBytes &&
    start(b) < start(a) + a.sizeBytes
  );
}
