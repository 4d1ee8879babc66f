import { PhiloxStream, streamPurpose } from '@tubelet/kernels';
import { UMAP } from 'umap-js';

const LAYOUT_PURPOSE = streamPurpose(14);

export interface LayoutOptions {
  /** Neighbours that a video is held together with: few show detail, many the whole. */
  readonly neighbors: number;
  /** How close points may come, in units of the picture's spread. */
  readonly minDist: number;
  readonly seed: number;
}

/** Fewer make no neighbourhoods. */
export const LEAST_VIDEOS = 3;

/**
 * Neighbours where nothing else is asked for: UMAP's own default, and of a few videos half of them, as all would leave
 * nothing to tell near from far.
 */
export function defaultNeighbors(videos: number): number {
  return Math.max(2, Math.min(15, Math.floor((videos - 1) / 2)));
}

/**
 * Lays features out in the plane so that neighbours stay neighbours, by UMAP (McInnes, Healy and Melville, “UMAP:
 * uniform manifold approximation and projection for dimension reduction”, 2018). The same features and options give
 * the same picture.
 *
 * @param features [N][C]
 * @returns [N][2]
 * @throws RangeError unless there are more videos than `neighbors`, and at least {@link LEAST_VIDEOS}
 */
export function layOutFeatures(
  features: readonly ArrayLike<number>[],
  { neighbors, minDist, seed }: LayoutOptions,
): [number, number][] {
  if (features.length < LEAST_VIDEOS || features.length <= neighbors) {
    throw new RangeError(
      `${features.length} videos cannot be laid out by ${neighbors} neighbours: give at least ` +
        `${Math.max(LEAST_VIDEOS, neighbors + 1)} videos.`,
    );
  }
  const random = new PhiloxStream({ seed, purpose: LAYOUT_PURPOSE });
  const umap = new UMAP({ nComponents: 2, nNeighbors: neighbors, minDist, random: () => random.uniform() });
  return umap.fit(features.map((feature) => Array.from(feature))).map(([x, y]) => [x!, y!]);
}
