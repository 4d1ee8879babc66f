/** Data sets whose owners list the clips of each fold in label files: DFEW, FERV39k, MAFW. */
import { join } from 'node:path';
import type { Dataset, DatasetSplit, LabelledVideo } from './dataset.js';
import { relativeName, requireFolders } from './files.js';
import { cachedSplits } from './folds.js';
import { Problems } from './problems.js';
import { DATASETS, type PublishedName } from './protocols.js';

/** A clip as a line of a label file names it. */
export interface ListedClip {
  /** `file:line`. */
  readonly where: string;
  /** Folder of its frames, relative to the folder of all clips, with `/`. */
  readonly clip: string;
  readonly label: number;
}

/** What sets such a data set apart. */
export interface ListedLayout {
  readonly name: PublishedName;
  /** Folder of all clips, relative to the root. */
  readonly framesFolder: string;
  /** The label file of a part, relative to the root. */
  labelFile(part: 'train' | 'test', fold: number): string;
  /** Reads a label file in its order; what does not fit becomes a problem. */
  readClips(file: string, remedyIfMissing: string, problems: Problems): ListedClip[];
}

/** Makes each clip unique within a part; those that come again become problems. */
function withoutRepetition(clips: readonly ListedClip[], problems: Problems): Map<string, ListedClip> {
  const unique = new Map<string, ListedClip>();
  for (const listed of clips) {
    const first = unique.get(listed.clip);
    if (first === undefined) unique.set(listed.clip, listed);
    else {
      problems.add(
        listed.where,
        `clip ${listed.clip} is listed again (first at ${first.where})`,
        'Remove one of the two lines',
      );
    }
  }
  return unique;
}

/**
 * Opens a data set with label files. They are read when a fold is asked for, so that a copy with the files of some
 * folds can be used for those.
 *
 * @throws DatasetError when the root or the folder of the clips is missing.
 */
export function openListedDataset(root: string, layout: ListedLayout): Dataset {
  const { title, classes, folds, layout: expected } = DATASETS[layout.name];
  requireFolders(root, layout.framesFolder, title, expected);

  const toVideo = ({ where, clip, label }: ListedClip): LabelledVideo => {
    const id = `${layout.framesFolder}/${clip}`;
    return { id, path: join(root, id), label, listedAt: relativeName(root, where) };
  };

  const readFold = (fold: number): DatasetSplit => {
    const problems = new Problems();
    const remedy = `Get it from the owners of ${title}; expected are ${expected}`;
    const readPart = (part: 'train' | 'test') => {
      const file = join(root, layout.labelFile(part, fold));
      const before = problems.count;
      const clips = layout.readClips(file, remedy, problems);
      if (clips.length === 0 && problems.count === before) {
        problems.add(file, 'it lists no clip', `Get it again from the owners of ${title}`);
      }
      return withoutRepetition(clips, problems);
    };
    const train = readPart('train');
    const test = readPart('test');
    for (const [clip, { where }] of test) {
      const other = train.get(clip);
      if (other === undefined) continue;
      problems.add(
        where,
        `clip ${clip} of the test part is in the train part too (${other.where})`,
        `Remove it from one of them, or get the files of fold ${fold} again from the owners of ${title}`,
      );
    }
    problems.throwIfAny();
    return { train: [...train.values()].map(toVideo), test: [...test.values()].map(toVideo) };
  };

  return { name: layout.name, title, root, classes, folds, split: cachedSplits(title, folds, readFold) };
}
