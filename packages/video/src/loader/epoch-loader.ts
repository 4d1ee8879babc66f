/** Epochs of batches, decoded ahead of their use, the same for the same seed whatever the timing. */
import type { Catalogue } from './catalogue.js';
import type { EpochSamples } from '../sampling/epoch-samples.js';
import type { BadFile } from '../errors.js';
import type { DecoderPool } from './pool.js';
import { prefetch } from './prefetch.js';

/** A sample of an epoch. */
export interface EpochSample {
  readonly epoch: number;
  readonly sample: number;
}

/** Where a batch stands, and of what. */
export interface BatchPlace {
  /** [B]: the sample of each clip, 0 … sampleCount − 1; the sample that was due, also where another stood in. */
  sampleIndices: Uint32Array<ArrayBuffer>;
  epoch: number;
  step: number;
}

export interface EpochLoaderParts {
  readonly pool: DecoderPool;
  readonly catalogue: Catalogue;
  readonly epochs: EpochSamples;
  /** Batches decoded ahead of the one in use. */
  readonly prefetchBatches: number;
}

/** Loads batches of clips, epoch by epoch: what all loaders for training share. */
export abstract class EpochLoader<Clip, Batch> {
  protected constructor(protected readonly parts: EpochLoaderParts) {}

  /** The entry of the catalogue that a sample is of. */
  protected abstract entryOf(sample: number): number;

  /** A clip of `candidate`, with the random numbers of `due`: they differ where one stands in for the other. */
  protected abstract loadClip(candidate: number, due: EpochSample): Promise<Clip>;

  protected abstract batchOf(clips: readonly Clip[], place: BatchPlace): Batch;

  /** Samples of an epoch, over all ranks. */
  get sampleCount(): number {
    return this.parts.epochs.sampleCount;
  }

  /** Batches of an epoch. */
  get stepsPerEpoch(): number {
    return this.parts.epochs.stepsPerEpoch;
  }

  /** Files found bad so far, with the reason of each. */
  get badFiles(): BadFile[] {
    return this.parts.catalogue.badFiles;
  }

  /** What decodes, in a line. */
  get decoder(): string {
    return this.parts.pool.description;
  }

  /** The ffmpeg in use. */
  get ffmpeg() {
    return this.parts.pool.ffmpeg;
  }

  /**
   * The batches of an epoch from `startStep` on, in order; the next ones are decoded while one is in use.
   *
   * @throws NoReadableVideoError as soon as no file is left.
   */
  async *epoch(epoch: number, { startStep = 0 }: { startStep?: number } = {}): AsyncGenerator<Batch, void> {
    const order = this.parts.epochs.order(epoch);
    yield* prefetch((step) => this.loadBatch(order, epoch, step), {
      first: startStep,
      end: this.stepsPerEpoch,
      ahead: this.parts.prefetchBatches,
    });
  }

  /** Ends the threads. Batches under way are rejected with a DecoderClosedError. */
  close(): Promise<void> {
    return this.parts.pool.close();
  }

  private async loadBatch(order: Uint32Array, epoch: number, step: number): Promise<Batch> {
    const { catalogue, epochs } = this.parts;
    const sampleIndices = epochs.ofStep(order, step);
    const load = (sample: number) => {
      const due = { epoch, sample };
      const entryOf = (candidate: number) => this.entryOf(candidate);
      return epochs.load(catalogue, due, entryOf, (candidate) => this.loadClip(candidate, due));
    };
    return this.batchOf(await Promise.all(Array.from(sampleIndices, load)), { sampleIndices, epoch, step });
  }
}
