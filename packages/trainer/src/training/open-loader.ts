import { defaultWorkerCount, type BadFile } from '@tubelet/video';
import { UserError } from '../errors.js';
import { dashed } from '../options/option-set.js';
import type { BadFiles } from './bad-files.js';
import type { RankShare } from './task.js';

/** Options of a program that all of its loaders have. */
export interface LoaderSettings<Crop> {
  readonly batchSize: number;
  readonly seed: number;
  readonly frameStep: number;
  readonly crop: Crop;
  readonly workers?: number | undefined;
  /** In seconds. */
  readonly decodeLimit?: number | undefined;
}

/** What every loader of videos is told. */
export interface SharedLoaderOptions<Crop> {
  readonly batchSize: number;
  readonly seed: number;
  readonly step: number;
  readonly crop: Crop;
  readonly workers: number;
  readonly decodeLimitMs: number | undefined;
  readonly rank: number;
  readonly ranks: number;
  readonly onBadFile: (file: BadFile) => void;
}

/**
 * Opens the loader of a training's videos.
 *
 * @param open is given what all loaders have, and adds what is its own
 * @throws UserError for options that do not fit the data set, such as a batch larger than it
 */
export async function openLoader<Loader, Crop>(
  { batchSize, seed, frameStep, crop, workers, decodeLimit }: LoaderSettings<Crop>,
  badFiles: BadFiles,
  { rank, ranks, localRanks }: RankShare,
  open: (shared: SharedLoaderOptions<Crop>) => Promise<Loader>,
): Promise<Loader> {
  try {
    return await open({
      ...{ batchSize, seed, step: frameStep, crop, rank, ranks, onBadFile: badFiles.report },
      workers: workers ?? defaultWorkerCount(localRanks),
      decodeLimitMs: decodeLimit && 1000 * decodeLimit,
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // Loaders name their own options, which the command line writes otherwise.
    const message = error.message.replace(/\b(?:batchSize|clipsPerVideo)\b/g, (name) => `--${dashed(name)}`);
    throw new UserError(message, { cause: error });
  }
}
