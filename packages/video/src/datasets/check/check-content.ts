/** Compares the clips of a data set with each other. */
import type { LabelledVideo } from '../dataset.js';
import type { ReadFold } from './check-splits.js';
import { finding, type Finding } from './finding.js';
import { placeOf } from './inspect-clip.js';

/** How many clips a finding names. */
const NAMED = 3;

const REMEDY = 'Keep one of them; where the originals differ, extract the wrong one again';

/**
 * Clips that are the same under several names. Those of which one is in train and another in test of a fold make its
 * test result worthless, the others only count twice.
 *
 * @param byFingerprint clips by their content
 */
export function sameContentFindings(
  byFingerprint: ReadonlyMap<string, readonly LabelledVideo[]>,
  folds: readonly ReadFold[],
): Finding[] {
  const groups = [...byFingerprint.values()].filter(({ length }) => length > 1);
  if (groups.length === 0) return [];
  const parts = folds.map(({ fold, split }) => ({
    fold,
    train: new Set(split.train.map(({ path }) => path)),
    test: new Set(split.test.map(({ path }) => path)),
  }));
  return groups.map((group) => {
    const labels = [...new Set(group.map(({ label }) => label))].sort((a, b) => a - b);
    const labelled = labels.length > 1 ? `; their labels differ: ${labels.join(', ')}` : '';
    for (const { fold, train, test } of parts) {
      const [inTrain, ...more] = group.filter(({ path }) => train.has(path));
      const inTest = group.filter(({ path }) => test.has(path));
      if (inTrain === undefined || inTest.length === 0) continue;
      const copies = more.length > 0 ? ` (and as ${names(more)})` : '';
      return finding('same-content-in-train-and-test', {
        where: placeOf(inTrain),
        problem: `it is in train of fold ${fold}${copies} and has the same content as ${names(inTest)} in test${labelled}`,
        remedy: REMEDY,
      });
    }
    const [first, ...others] = group;
    const problem = `it has the same content as ${names(others)}${labelled}`;
    return finding('same-content', { where: placeOf(first!), problem, remedy: REMEDY });
  });
}

/** The places of a few clips. */
function names(videos: readonly LabelledVideo[]): string {
  const more = videos.length - NAMED;
  return videos.slice(0, NAMED).map(placeOf).join('; ') + (more > 0 ? ` and ${more} more` : '');
}
