/** Data sets of recorded subjects, without label files: CREMA-D, RAVDESS, eNTERFACE05. Names tell everything. */
import { join } from 'node:path';
import type { Dataset, DatasetProblem, LabelledVideo } from './dataset.js';
import { listNames, requireFolders } from './files.js';
import { cachedSplits } from './folds.js';
import { Problems } from './problems.js';
import { DATASETS, type PublishedName } from './protocols.js';

/** Folder of all clips, relative to the root. */
const FRAMES_FOLDER = 'face_aligned';

const NOTHING_TO_DO = 'Nothing need be done: the protocol does without it';

/** What the path of a folder of frames tells. */
export type ClipName =
  | { readonly label: number; readonly subject: number }
  /** Belongs to the data set but not to the protocol. */
  | { readonly leftOut: string }
  /** Not a name of this data set. */
  | { readonly problem: string; readonly remedy: string };

/** What sets such a data set apart. */
export interface SubjectLayout {
  readonly name: PublishedName;
  /** How many folders deep the folders of frames lie below `face_aligned`: 1 for its direct children. */
  readonly depth: number;
  /** Reads the names of the folders that lead to the frames, `depth` of them. */
  readName(names: readonly string[]): ClipName;
  /** The subjects of the test part of each fold, first and last, both included. */
  readonly testSubjects: readonly (readonly [first: number, last: number])[];
}

/**
 * Opens a data set of recorded subjects.
 *
 * @throws DatasetError when the folders are missing, or listing every folder whose name does not fit.
 */
export function openSubjectDataset(root: string, layout: SubjectLayout): Dataset {
  const { title, classes, folds, layout: expected } = DATASETS[layout.name];
  requireFolders(root, FRAMES_FOLDER, title, expected);
  const problems = new Problems();
  const leftOut: DatasetProblem[] = [];
  const videos: LabelledVideo[] = [];

  const visit = (names: readonly string[]): void => {
    const id = [FRAMES_FOLDER, ...names].join('/');
    const path = join(root, id);
    if (names.length < layout.depth) {
      const { folders, files } = listNames(path);
      if (folders.length + files.length === 0) {
        leftOut.push({ where: path, problem: 'the folder is empty', remedy: NOTHING_TO_DO });
      }
      for (const file of files) {
        leftOut.push({
          where: join(path, file),
          problem: 'it is a file where folders of clips are expected',
          remedy: NOTHING_TO_DO,
        });
      }
      for (const folder of folders) visit([...names, folder]);
      return;
    }
    const name = layout.readName(names);
    if ('problem' in name) problems.add(path, name.problem, name.remedy);
    else if ('leftOut' in name) {
      leftOut.push({ where: path, problem: name.leftOut, remedy: NOTHING_TO_DO });
    } else {
      const { label, subject } = name;
      videos.push({ id, path, label, subject: String(subject) });
    }
  };
  visit([]);
  if (videos.length === 0 && problems.count === 0) {
    problems.add(
      join(root, FRAMES_FOLDER),
      'it holds no clip',
      `Give the folder of ${title}, which holds ${expected}`,
    );
  }
  problems.throwIfAny();

  const split = cachedSplits(title, folds, (fold) => {
    const [first, last] = layout.testSubjects[fold - 1] as readonly [number, number];
    const isTest = ({ subject }: LabelledVideo) => Number(subject) >= first && Number(subject) <= last;
    return { train: videos.filter((video) => !isTest(video)), test: videos.filter(isTest) };
  });
  return { name: layout.name, title, root, classes, folds, leftOut, split };
}
