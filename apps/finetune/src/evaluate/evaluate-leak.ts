import { DatasetError, type Dataset, type DatasetSplit, type LabelledVideo } from '@tubelet/video';
import type { ClassifierDescription } from '../classifier/classifier-file.js';
import { labelledFingerprint } from '../shared/data-source.js';

function splitOf(dataset: Dataset, fold: number): DatasetSplit | null {
  try {
    return dataset.split(fold);
  } catch (error) {
    if (error instanceof RangeError || error instanceof DatasetError) return null;
    throw error;
  }
}

/**
 * Why figures on these videos would flatter a classifier: it was trained on some of them, or that cannot be ruled out.
 * Null where it was trained on another data set, or on none of them.
 */
export function leakWarning(
  { data }: Pick<ClassifierDescription, 'data'>,
  dataset: Dataset,
  videos: readonly LabelledVideo[],
): string | null {
  if (data.name !== dataset.name) return null;
  const split = splitOf(dataset, data.fold);
  // Every CSV file is the data set csv, whichever videos it lists.
  const isAnyFile = data.name === 'csv';
  if (isAnyFile && data.train !== undefined) {
    if (split === null || data.train !== labelledFingerprint(split.train)) return null;
  }
  if (split === null) {
    return (
      `the classifier was trained on fold ${data.fold} of ${dataset.title}, which cannot be read here: whether it has ` +
      'seen these videos is unknown, and if it has, these figures are too good.'
    );
  }
  const trainedOn = new Set(split.train.map(({ id }) => id));
  const seen = videos.filter(({ id }) => trainedOn.has(id)).length;
  if (seen === 0) return null;
  const percent = Math.round((100 * seen) / videos.length);
  const condition = isAnyFile && data.train === undefined ? ' if it was trained on this file' : '';
  return (
    `${seen} of these ${videos.length} videos (${percent} %) are in the training part of fold ${data.fold}, which the ` +
    `classifier was trained on${condition}: the figures tell how well it remembers them, not how well it does on new ones. ` +
    `Evaluate it with --fold ${data.fold} --part test.`
  );
}
