import type { LabelledVideo } from './dataset.js';

/**
 * How many videos each class has.
 *
 * @returns [K], in the order of the labels.
 * @throws RangeError for a label that is none of the classes'.
 */
export function labelCounts(
  videos: readonly Pick<LabelledVideo, 'id' | 'label'>[],
  classes: readonly string[],
): number[] {
  const counts = new Array<number>(classes.length).fill(0);
  for (const { id, label } of videos) {
    const count = counts[label];
    if (count === undefined) {
      throw new RangeError(`label of ${id} is ${label}: there are classes 0 to ${classes.length - 1}.`);
    }
    counts[label] = count + 1;
  }
  return counts;
}
