import { PhiloxStream, streamPurpose } from '@tubelet/kernels';
import { LoneOptionError, OptionError } from '@tubelet/trainer';
import { UMAP } from 'umap-js';
import { scoringProgress } from '../shared/scoring-progress.js';
import { tsne } from './tsne.js';

const LAYOUT_PURPOSE = streamPurpose(14);

export const LAYOUTS = ['umap', 'tsne'] as const;

/** How features are laid out; what is left out follows from their number. */
export interface LayoutOptions {
  readonly layout?: (typeof LAYOUTS)[number];
  /** UMAP: neighbours that a video is held together with; few show detail, many the whole. */
  readonly neighbors?: number;
  /** UMAP: how close points may come, in units of the picture's spread. */
  readonly minDist?: number;
  /** t-SNE: about how many neighbours count. */
  readonly perplexity?: number;
  readonly seed?: number;
}

/** The layouts by their names, and what they are called in a picture. */
export const LAYOUT_TITLES = { umap: 'UMAP', tsne: 't-SNE' } as const;

/** Fewer make no neighbourhoods. */
export const LEAST_VIDEOS = 3;

/**
 * Neighbours where nothing else is asked for: UMAP's own default, and of a few videos half of them, as all would leave
 * nothing to tell near from far.
 */
export function defaultNeighbors(videos: number): number {
  return Math.max(2, Math.min(15, Math.floor((videos - 1) / 2)));
}

/** @throws OptionError for options of the other layout */
export function requireFittingLayout(options: LayoutOptions): void {
  const { layout = 'umap', neighbors, minDist, perplexity } = options;
  const ofOthers =
    layout === 'umap' ? { '--perplexity': perplexity } : { '--neighbors': neighbors, '--min-dist': minDist };
  for (const [key, value] of Object.entries(ofOthers)) {
    if (value === undefined) continue;
    throw new LoneOptionError(key, value, `--layout ${layout === 'umap' ? 'tsne' : 'umap'}`);
  }
}

/** @throws OptionError for options that so few videos do not allow */
export function requireEnoughVideos(videos: number, { layout, neighbors, perplexity }: LayoutOptions): void {
  if (layout === 'tsne' && videos < 4) {
    throw new OptionError('--layout', layout, `umap for as few as ${videos} videos`);
  }
  if (neighbors !== undefined && neighbors >= videos) {
    throw new OptionError('--neighbors', neighbors, `less than the ${videos} videos that there are`);
  }
  if (perplexity !== undefined && 3 * perplexity >= videos) {
    throw new OptionError(
      '--perplexity',
      perplexity,
      `less than a third of the ${videos} videos that there are`,
    );
  }
}

/**
 * Lays features out in the plane so that neighbours stay neighbours, by {@link tsne}, or by UMAP (McInnes, Healy and
 * Melville, “UMAP: uniform manifold approximation and projection for dimension reduction”, 2018). The same features and
 * options give the same picture.
 *
 * @param features [N][C]
 * @param tell is told how a t-SNE of many videos goes
 * @returns [N][2]
 * @throws RangeError for too few videos
 */
export function layOutFeatures(
  features: readonly ArrayLike<number>[],
  options: LayoutOptions = {},
  tell: (line: string) => void = () => {},
): [number, number][] {
  const { layout = 'umap', minDist = 0.1, seed = 0 } = options;
  const neighbors = options.neighbors ?? defaultNeighbors(features.length);
  if (layout === 'tsne') {
    const perplexity = options.perplexity ?? Math.max(1, Math.min(30, features.length / 4));
    const progress = scoringProgress(tell, Date.now, { unit: 'steps', done: 'of t-SNE taken' });
    return tsne(features, { perplexity, seed, progress });
  }
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
