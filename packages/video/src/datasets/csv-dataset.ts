import { readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readClassNames } from './class-names.js';
import { DatasetError, type Dataset, type LabelledVideo } from './dataset.js';
import { cutOff, readTable, relativeName, type Located, type TableRow } from './files.js';
import { cachedSplits } from './folds.js';
import { Problems } from './problems.js';
import { DATASETS } from './protocols.js';

const COLUMNS = {
  required: ['path', 'label'],
  optional: ['fold', 'subject'],
  others: 'refused',
} as const;

type Row = Located<TableRow<'path' | 'label', 'fold' | 'subject'>>;

/** A row that has been understood. */
interface Entry {
  readonly where: string;
  readonly video: LabelledVideo;
  /** The fold whose test part it is in; undefined without such a column. */
  readonly fold: number | undefined;
}

/** The label that a text stands for: a class of that name, or else the class of that index. */
function labelOf(text: string, labels: ReadonlyMap<string, number>): number | undefined {
  const named = labels.get(text);
  if (named !== undefined) return named;
  return /^\d+$/.test(text) && Number(text) < labels.size ? Number(text) : undefined;
}

function readEntry(
  { where, value }: Row,
  folder: string,
  labels: ReadonlyMap<string, number>,
  problems: Problems,
): Entry | undefined {
  const before = problems.count;
  if (value.path === '') {
    problems.add(where, 'the path is empty', 'Give the video or folder of frames, relative to this file');
  }
  const label = labelOf(value.label, labels);
  // Where the classes could not be read, every label would be wrong: that has been told already.
  if (label === undefined && labels.size > 0) {
    problems.add(
      where,
      `label "${cutOff(value.label)}" is not a class`,
      `Give one of ${cutOff([...labels.keys()].join(', '))}, or an index from 0 to ${labels.size - 1}`,
    );
  }
  const fold = value.fold === undefined ? undefined : Number(value.fold);
  if (fold !== undefined && !/^[1-9]\d{0,3}$/.test(value.fold as string)) {
    problems.add(
      where,
      `fold is "${cutOff(value.fold as string)}"`,
      'Give the number of the fold that tests on this video, 1 or more',
    );
  }
  if (problems.count > before || label === undefined) return undefined;
  const path = resolve(folder, value.path);
  const id = relativeName(folder, path);
  const listedAt = relativeName(folder, where);
  const subject = value.subject === undefined || value.subject === '' ? {} : { subject: value.subject };
  return { where, video: { id, path, label, ...subject, listedAt }, fold };
}

/** Finds videos that stand in more than one row. */
function checkRepetition(entries: readonly Entry[], problems: Problems): void {
  const seen = new Map<string, Entry>();
  for (const entry of entries) {
    const { path, id } = entry.video;
    const first = seen.get(path);
    if (first === undefined) seen.set(path, entry);
    else if (first.fold === entry.fold) {
      problems.add(
        entry.where,
        `${id} is listed again (first at ${first.where})`,
        'Remove one of the two lines',
      );
    } else {
      problems.add(
        entry.where,
        `${id} is in fold ${entry.fold} and in fold ${first.fold} (${first.where}), so that it would be in the train ` +
          'and the test part at once',
        'Keep one of the two lines',
      );
    }
  }
}

/** Checks that folds are numbered 1 … n, n at least 2, and returns n. */
function countFolds(file: string, entries: readonly Entry[], problems: Problems): number {
  const numbers = new Set(entries.map(({ fold }) => fold));
  const folds = entries.reduce((most, { fold }) => Math.max(most, fold as number), 0);
  if (folds === 1) {
    problems.add(
      file,
      'all videos are in fold 1, which leaves none to train on',
      'Spread them over at least two folds, or leave the column out',
    );
  }
  for (let fold = 1; fold < folds; fold++) {
    if (!numbers.has(fold)) {
      problems.add(file, `no video is in fold ${fold} of ${folds}`, 'Number the folds from 1 without a gap');
    }
  }
  return folds;
}

/** @throws DatasetError for a folder in place of the file, naming the files that may be meant */
function refuseFolder(file: string): void {
  if (!statSync(file, { throwIfNoEntry: false })?.isDirectory()) return;
  const inside = readdirSync(file).filter((name) => name.toLowerCase().endsWith('.csv'));
  const named = inside
    .sort()
    .slice(0, 3)
    .map((name) => join(file, name));
  const remedy = `Give ${named.length > 0 ? `the file in it: ${named.join(', or ')}` : DATASETS.csv.layout}`;
  throw new DatasetError([{ where: file, problem: 'it is a folder', remedy }]);
}

/**
 * Opens a data set of one's own: a CSV file with the header `path,label[,fold,subject]`.
 *
 * - Paths of videos or folders of frames are relative to the file.
 * - A label is the name of a class or, where no class has that name, its index from 0.
 * - `fold` is the fold whose test part the video is in; without the column all videos are for training.
 *
 * @param file absolute.
 * @param classesFile names of the classes, one a line; by default `classes.txt` beside the file.
 * @throws DatasetError listing all that is wrong with the two files. Whether the videos exist is not looked at.
 */
export function openCsvDataset(file: string, classesFile = join(dirname(file), 'classes.txt')): Dataset {
  refuseFolder(file);
  const problems = new Problems();
  const classes = readClassNames(classesFile, problems);
  const remedy = `Give ${DATASETS.csv.layout}`;
  const before = problems.count;
  const rows = readTable(file, COLUMNS, remedy, problems);
  if (rows.length === 0 && problems.count === before) problems.add(file, 'it lists no video', remedy);
  const labels = new Map(classes.map((name, label) => [name, label]));
  const entries: Entry[] = [];
  for (const row of rows) {
    const entry = readEntry(row, dirname(file), labels, problems);
    if (entry !== undefined) entries.push(entry);
  }
  checkRepetition(entries, problems);
  const hasFolds = entries[0]?.fold !== undefined;
  const folds = hasFolds ? countFolds(file, entries, problems) : 1;
  problems.throwIfAny();

  const { title } = DATASETS.csv;
  const videosOf = (wanted: (entry: Entry) => boolean) => entries.filter(wanted).map(({ video }) => video);
  const split = cachedSplits(title, folds, (fold) => ({
    train: videosOf((entry) => entry.fold !== fold),
    test: videosOf((entry) => entry.fold === fold),
  }));
  return { name: 'csv', title, root: file, classes, folds, split };
}
