/** What a `ClipLoader` can be told. */
import { requireInteger } from '../check-options.js';
import type { CropMode } from '../pixels/crop.js';
import type { VideoEntry } from '../sources/video-entry.js';
import { resolveEpochOptions, type EpochOptions, type Resolved } from './clip-options.js';

export interface ClipLoaderOptions extends EpochOptions {
  /** Videos and folders of frames, as `listVideos` finds them. */
  entries: readonly VideoEntry[];
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
  /**
   * Clips of a step, over all ranks and batches that make one; default batchSize · ranks. Where the entries lie in
   * shards, an epoch's order depends on it, and not on the ranks.
   */
  clipsPerStep?: number;
  /** Samples among which the next one of a shard is drawn; default 1000. */
  shuffleBuffer?: number;
}

export type ResolvedOptions = Omit<Resolved<ClipLoaderOptions>, 'segmentSeconds'> &
  Pick<ClipLoaderOptions, 'segmentSeconds'>;

/**
 * Fills in defaults.
 *
 * @throws RangeError that names the option and its value
 */
export function resolveOptions(given: ClipLoaderOptions): ResolvedOptions {
  const shared = resolveEpochOptions(given, 'centre');
  const resolved: ResolvedOptions = {
    ...shared,
    augmentation: given.augmentation ?? 'multiScaleCrop',
    clipsPerVideo: given.clipsPerVideo ?? 1,
    dropLast: given.dropLast ?? true,
    clipsPerStep: given.clipsPerStep ?? shared.batchSize * shared.ranks,
    shuffleBuffer: given.shuffleBuffer ?? 1000,
  };
  for (const name of ['clipsPerVideo', 'clipsPerStep', 'shuffleBuffer'] as const)
    requireInteger(name, resolved[name], 1);
  const { segmentSeconds } = resolved;
  if (segmentSeconds !== undefined && !(segmentSeconds > 0)) {
    throw new RangeError(`segmentSeconds is ${segmentSeconds}: give a number above 0.`);
  }
  return resolved;
}
