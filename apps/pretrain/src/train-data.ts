import { createHash } from 'node:crypto';
import { dirname, relative } from 'node:path';
import { UserError, type StepPosition } from '@tubelet/trainer';
import { ClipLoader, listVideos, type ClipBatch, type VideoEntry } from '@tubelet/video';
import type { BadFiles } from './bad-files.js';
import type { TrainOptions } from './train-settings.js';

/** The videos of `sources`, each cut to the stretch of time that the options ask for. */
export async function findVideos(
  sources: readonly string[],
  { startSeconds, endSeconds }: TrainOptions,
  badFiles: BadFiles,
): Promise<VideoEntry[]> {
  const { entries, skipped } = await listVideos(sources);
  badFiles.leaveOut(skipped);
  if (startSeconds === undefined && endSeconds === undefined) return entries;
  return entries.map((entry) => ({ ...entry, timeRange: { startSeconds, endSeconds } }));
}

/**
 * Names a list of videos, such as `3 videos, 9f86d081884c7d65`: the same wherever their folder lies, another one
 * as soon as a video is added, removed or renamed.
 */
export function videosFingerprint(entries: readonly VideoEntry[]): string {
  const hash = createHash('sha256');
  const folder = dirname(entries[0]?.path ?? '');
  for (const { path } of entries) hash.update(`${relative(folder, path)}\n`);
  return `${entries.length} videos, ${hash.digest('hex').slice(0, 16)}`;
}

/** Opens the loader that the options describe. Throws `UserError` where they do not fit the data set. */
export async function openLoader(
  entries: readonly VideoEntry[],
  options: TrainOptions,
  badFiles: BadFiles,
): Promise<ClipLoader> {
  try {
    return await ClipLoader.open({
      entries,
      batchSize: options.batchSize,
      seed: options.seed,
      size: options.imageSize,
      frames: options.frames,
      step: options.frameStep,
      crop: options.crop,
      augmentation: options.augmentation,
      clipsPerVideo: options.clipsPerVideo,
      segmentSeconds: options.segmentSeconds,
      workers: options.workers,
      onBadFile: badFiles.report,
    });
  } catch (error) {
    // Options that do not fit the data set, e.g. a batch larger than it.
    throw error instanceof RangeError ? new UserError(error.message, { cause: error }) : error;
  }
}

/** Optimiser steps of an epoch. Throws `UserError` when there is none. */
export function countSteps({ stepsPerEpoch }: ClipLoader, { batchSize, accumulate }: TrainOptions): number {
  const steps = Math.floor(stepsPerEpoch / accumulate);
  if (steps > 0) return steps;
  throw new UserError(
    `an epoch has ${stepsPerEpoch} batches of ${batchSize}, fewer than the ${accumulate} of --accumulate: ` +
      'lower it or --batch-size, or raise --clips-per-video',
  );
}

/** Batches of an epoch in order, from any step on. */
export class BatchReader {
  private iterator: AsyncIterator<ClipBatch> | undefined;
  private epoch = -1;
  private first: ClipBatch | undefined;

  constructor(
    private readonly loader: ClipLoader,
    private readonly accumulate: number,
  ) {}

  /** Reads the first batch of a new run, so that a data set without any readable video is known beforehand. */
  async readFirst(): Promise<void> {
    this.first = await this.next({ step: 0, epoch: 0, stepInEpoch: 0 }, 0);
  }

  /** The `index`-th batch of a step. */
  async next({ epoch, stepInEpoch }: StepPosition, index: number): Promise<ClipBatch> {
    const { first } = this;
    this.first = undefined;
    if (first) return first;
    if (epoch !== this.epoch) {
      await this.close();
      const startStep = stepInEpoch * this.accumulate + index;
      this.iterator = this.loader.epoch(epoch, { startStep })[Symbol.asyncIterator]();
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
