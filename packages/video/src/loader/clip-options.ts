/** What loaders of clips can be told, and the defaults that they share. */
import { requireInteger } from '../check-options.js';
import type { CropMode } from '../pixels/crop.js';
import { checkRank } from '../sampling/epoch-samples.js';
import type { BadFile } from '../errors.js';
import { defaultWorkerCount, type DecoderPoolOptions } from './pool.js';

/** What every loader can be told. */
export interface ClipOptions extends Pick<DecoderPoolOptions, 'decoder' | 'ffmpeg' | 'decodeLimitMs'> {
  /** Clips of a batch. */
  batchSize: number;
  /** Edge of the frames in pixels; default 160. */
  size?: number;
  /** Frames of a clip; default 16. */
  frames?: number;
  /** Distance between two frames of a clip, in frames of the video; default 4. */
  step?: number;
  /** Fixed crop of a source. */
  crop?: CropMode;
  /** Decoders that run side by side; see `DecoderPoolOptions`. */
  workers?: number;
  /** Batches decoded ahead of the one in use; default 2. */
  prefetchBatches?: number;
  /** Told once of each file that cannot be decoded. */
  onBadFile?: (file: BadFile) => void;
}

/** What loaders can be told that load epochs. */
export interface EpochOptions extends ClipOptions {
  /** Decides the order of the samples and all else that is drawn. */
  seed: number;
  /** Which part of each global batch this process loads, counted from 0; default 0. */
  rank?: number;
  /** Processes that load the parts of each global batch; default 1. */
  ranks?: number;
  /** Memory for decoded whole videos, so that later epochs decode nothing; default 512 MiB, 0 for none. */
  cacheBytes?: number;
}

type Unset = 'decoder' | 'ffmpeg' | 'decodeLimitMs' | 'onBadFile';

/** Options with their defaults, but for those whose absence says something. */
export type Resolved<T extends ClipOptions> = Required<Omit<T, Unset>> & Pick<T, Unset>;

/** For decoded whole videos. */
const DEFAULT_CACHE_BYTES = 512 * 2 ** 20;

/**
 * Fills in the defaults of `ClipOptions`; `crop` is the loader's own.
 *
 * @throws RangeError that names the option and its value
 */
export function resolveClipOptions<T extends ClipOptions>(
  given: T,
  crop: CropMode,
): T & Resolved<ClipOptions> {
  const options = {
    ...given,
    size: given.size ?? 160,
    frames: given.frames ?? 16,
    step: given.step ?? 4,
    crop: given.crop ?? crop,
    workers: given.workers ?? defaultWorkerCount(),
    prefetchBatches: given.prefetchBatches ?? 2,
  };
  for (const name of ['batchSize', 'size', 'frames', 'step', 'workers'] as const)
    requireInteger(name, options[name], 1);
  requireInteger('prefetchBatches', options.prefetchBatches, 0);
  return options;
}

/**
 * Fills in the defaults of `EpochOptions`.
 *
 * @throws RangeError that names the option and its value
 */
export function resolveEpochOptions<T extends EpochOptions>(
  given: T,
  crop: CropMode,
): T & Resolved<EpochOptions> {
  const options = {
    ...resolveClipOptions(given, crop),
    rank: given.rank ?? 0,
    ranks: given.ranks ?? 1,
    cacheBytes: given.cacheBytes ?? DEFAULT_CACHE_BYTES,
  };
  for (const name of ['seed', 'cacheBytes'] as const) requireInteger(name, options[name], 0);
  checkRank(options);
  return options;
}
