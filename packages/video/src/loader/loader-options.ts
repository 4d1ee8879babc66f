/** What a `ClipLoader` can be told. */
import { requireInteger } from '../check-options.js';
import type { CropMode } from '../pixels/crop.js';
import { checkRank } from '../sampling/epoch-samples.js';
import type { BadFile } from '../errors.js';
import type { Ffmpeg } from '../ffmpeg/ffmpeg.js';
import type { VideoEntry } from '../sources/video-entry.js';
import type { DecoderName } from '../webcodecs/find.js';

export interface ClipLoaderOptions {
  /** Videos and folders of frames, as `listVideos` finds them. */
  entries: readonly VideoEntry[];
  /** Clips of a batch. */
  batchSize: number;
  /** Decides the order of the samples, the clips and the crops. */
  seed: number;
  /** Edge of the frames in pixels; default 160. */
  size?: number;
  /** Frames of a clip; default 16. */
  frames?: number;
  /** Distance between two frames of a clip, in frames of the video; default 4. */
  step?: number;
  /** Fixed crop of a source; default `centre`. */
  crop?: CropMode;
  /** `multiScaleCrop` (default): a random crop for each clip, as in the paper; `none`: the whole frame. */
  augmentation?: 'multiScaleCrop' | 'none';
  /** Samples that each video (or segment of one) gives in an epoch; default 1. */
  clipsPerVideo?: number;
  /** Cuts long videos into segments of this length, each a sample of its own; by default a video is one. */
  segmentSeconds?: number;
  /** Leave out the last batch where it is not full; default true. */
  dropLast?: boolean;
  /** Which part of each global batch this process loads, counted from 0; default 0. */
  rank?: number;
  /** Processes that load the parts of each global batch; default 1. */
  ranks?: number;
  /** Decoding threads; see `DecoderPoolOptions`. */
  workers?: number;
  /**
   * Clips of a step, over all ranks and batches that make one; default batchSize · ranks. Where the entries lie in
   * shards, an epoch's order depends on it, and not on the ranks.
   */
  clipsPerStep?: number;
  /** Samples among which the next one of a shard is drawn; default 1000. */
  shuffleBuffer?: number;
  /** Batches decoded ahead of the one in use; default 2. */
  prefetchBatches?: number;
  /** Memory for decoded whole videos, so that later epochs decode nothing; default 512 MiB, 0 for none. */
  cacheBytes?: number;
  /** See `DecoderPoolOptions`. */
  decoder?: DecoderName;
  ffmpeg?: Ffmpeg;
  /** See `DecoderPoolOptions`. */
  decodeLimitMs?: number;
  /** Told once of each file that cannot be decoded. */
  onBadFile?: (file: BadFile) => void;
}

export type ResolvedOptions = Required<
  Omit<ClipLoaderOptions, 'segmentSeconds' | 'decoder' | 'ffmpeg' | 'decodeLimitMs' | 'onBadFile'>
> &
  Pick<ClipLoaderOptions, 'segmentSeconds' | 'decoder' | 'ffmpeg' | 'decodeLimitMs' | 'onBadFile'>;

/** For decoded whole videos. */
export const DEFAULT_CACHE_BYTES = 512 * 2 ** 20;

/**
 * Fills in defaults.
 *
 * @throws RangeError that names the option and its value
 */
export function resolveOptions(options: ClipLoaderOptions, defaultWorkers: number): ResolvedOptions {
  const resolved: ResolvedOptions = {
    ...options,
    size: options.size ?? 160,
    frames: options.frames ?? 16,
    step: options.step ?? 4,
    crop: options.crop ?? 'centre',
    augmentation: options.augmentation ?? 'multiScaleCrop',
    clipsPerVideo: options.clipsPerVideo ?? 1,
    dropLast: options.dropLast ?? true,
    rank: options.rank ?? 0,
    ranks: options.ranks ?? 1,
    workers: options.workers ?? defaultWorkers,
    clipsPerStep: options.clipsPerStep ?? options.batchSize * (options.ranks ?? 1),
    shuffleBuffer: options.shuffleBuffer ?? 1000,
    prefetchBatches: options.prefetchBatches ?? 2,
    cacheBytes: options.cacheBytes ?? DEFAULT_CACHE_BYTES,
  };
  for (const name of [
    'batchSize',
    'size',
    'frames',
    'step',
    'clipsPerVideo',
    'workers',
    'clipsPerStep',
    'shuffleBuffer',
  ] as const) {
    requireInteger(name, resolved[name], 1);
  }
  for (const name of ['seed', 'prefetchBatches', 'cacheBytes'] as const)
    requireInteger(name, resolved[name], 0);
  checkRank(resolved);
  const { segmentSeconds } = resolved;
  if (segmentSeconds !== undefined && !(segmentSeconds > 0)) {
    throw new RangeError(`segmentSeconds is ${segmentSeconds}: give a number above 0.`);
  }
  return resolved;
}
