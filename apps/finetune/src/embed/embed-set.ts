/** Which videos are embedded, and what is known of their classes. */
import type { BadFiles } from '@tubelet/trainer';
import { listVideos, type Dataset, type TestVideo, type VideoEntry } from '@tubelet/video';
import type { Part } from '../shared/classifier-options.js';
import { videosOf } from '../evaluate/evaluate-dataset.js';
import { displayPath } from '../shared/output.js';

/** A video to be embedded. */
export interface SetVideo extends TestVideo {
  /** Names it in what is written. */
  readonly id: string;
  /** Its class, an index of `labelNames`; null where it is not known. */
  readonly label: number | null;
}

export interface VideoSet {
  readonly videos: readonly SetVideo[];
  /** Null where no video has a label. */
  readonly labelNames: readonly string[] | null;
}

/**
 * A part of a labelled data set.
 *
 * @throws UserError when it is empty
 */
export function setOfDataset(dataset: Dataset, fold: number, part: Part): VideoSet {
  return { videos: videosOf(dataset, fold, part), labelNames: dataset.classes };
}

/**
 * The names of labels that a list of videos gives: those of the classifier's classes, where all are such names or their
 * numbers from 0; otherwise what the list says, in alphabetical order.
 */
export function namesOfLabels(labels: readonly string[], classNames: readonly string[]): readonly string[] {
  if (labels.every((label) => classNames.includes(label) || isNumberBelow(label, classNames.length)))
    return classNames;
  return [...new Set(labels)].sort();
}

const isNumberBelow = (text: string, end: number) => /^\d+$/.test(text) && Number(text) < end;

function labelIndex(label: string, names: readonly string[]): number {
  const named = names.indexOf(label);
  return named >= 0 ? named : Number(label);
}

/**
 * The videos of sources, with the labels that lists among them give.
 *
 * @throws as `listVideos`
 */
export async function setOfSources(
  sources: readonly string[],
  classNames: readonly string[],
  badFiles: BadFiles,
): Promise<VideoSet> {
  const { entries, skipped } = await listVideos(sources);
  badFiles.leaveOut(skipped);
  const labels = entries.flatMap(({ label }) => label ?? []);
  const names = namesOfLabels(labels, classNames);
  const toVideo = ({ label, ...video }: VideoEntry): SetVideo => ({
    ...video,
    id: displayPath(video.path),
    label: label === undefined ? null : labelIndex(label, names),
  });
  return { videos: entries.map(toVideo), labelNames: labels.length > 0 ? names : null };
}
