import type { DatasetSplit } from './dataset.js';

/**
 * Makes `split` of a data set: checks the fold and makes each once.
 *
 * @param make may throw DatasetError.
 * @returns a function that throws RangeError for a fold outside 1 … folds.
 */
export function cachedSplits(
  title: string,
  folds: number,
  make: (fold: number) => DatasetSplit,
): (fold: number) => DatasetSplit {
  const splits = new Map<number, DatasetSplit>();
  return (fold) => {
    if (!Number.isInteger(fold) || fold < 1 || fold > folds) {
      const range = folds === 1 ? 'one split: give fold 1' : `folds 1 to ${folds}`;
      throw new RangeError(`fold is ${fold}: ${title} has ${range}.`);
    }
    let split = splits.get(fold);
    if (split === undefined) {
      split = make(fold);
      splits.set(fold, split);
    }
    return split;
  };
}
