/** Checks what the label files of a data set say, without looking at a single clip. */
import { DatasetError, type Dataset, type DatasetSplit, type LabelledVideo } from '../dataset.js';
import { labelCounts } from '../label-counts.js';
import type { PublishedSizes } from '../protocols.js';
import { finding, type Finding } from './finding.js';
import { placeOf } from './inspect-clip.js';

/** The parts of a fold. */
export const PARTS = ['train', 'test'] as const;
export type Part = (typeof PARTS)[number];

/** Counts of one part of a fold. */
export interface PartCounts {
  readonly clips: number;
  /** As published, or null where that is not known. */
  readonly publishedClips: number | null;
  /** [K] */
  readonly perClass: readonly number[];
  /** Null where the data set does not tell people apart. */
  readonly subjects: number | null;
}

export interface FoldCounts extends Record<Part, PartCounts> {
  /** Counted from 1. */
  readonly fold: number;
}

/** A fold whose label files can be read. */
export interface ReadFold {
  readonly fold: number;
  readonly split: DatasetSplit;
}

/** The folds that can be read, and what is wrong with the others. */
export function readFolds(
  dataset: Dataset,
  folds: readonly number[],
): { read: ReadFold[]; findings: Finding[] } {
  const read: ReadFold[] = [];
  const findings: Finding[] = [];
  const known = new Set<string>();
  for (const fold of folds) {
    try {
      read.push({ fold, split: dataset.split(fold) });
    } catch (error) {
      if (!(error instanceof DatasetError)) throw error;
      for (const problem of error.problems) {
        // Folds may share their files.
        const key = `${problem.where}\n${problem.problem}`;
        if (!known.has(key)) findings.push(finding('listing', problem));
        known.add(key);
      }
    }
  }
  return { read, findings };
}

/** Counts the clips of a fold. */
export function countFold(
  { fold, split }: ReadFold,
  classes: readonly string[],
  published: PublishedSizes | null,
): FoldCounts {
  const count = (part: Part): PartCounts => {
    const videos = split[part];
    const subjects = subjectCounts(videos).size;
    return {
      clips: videos.length,
      publishedClips: published?.splits?.[fold - 1]?.[part] ?? null,
      perClass: labelCounts(videos, classes),
      subjects: subjects === 0 ? null : subjects,
    };
  };
  return { fold, train: count('train'), test: count('test') };
}

/** How many clips each subject has. */
function subjectCounts(videos: readonly LabelledVideo[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { subject } of videos) {
    if (subject !== undefined) counts.set(subject, (counts.get(subject) ?? 0) + 1);
  }
  return counts;
}

const difference = (count: number, expected: number): string => {
  const by = Math.abs(count - expected).toLocaleString('en');
  return `${count.toLocaleString('en')} instead of ${expected.toLocaleString('en')}: ${by} too ${count < expected ? 'few' : 'many'}`;
};

/** Compares a fold with the published counts. */
export function sizeFindings(
  counts: FoldCounts,
  { split }: ReadFold,
  { title, classes }: Pick<Dataset, 'title' | 'classes'>,
  published: PublishedSizes,
): Finding[] {
  const remedy = `Get the files of this fold again from the owners of ${title}, and extract every archive`;
  const findings: Finding[] = [];
  const compare = (where: string, what: string, count: number, expected: number | null | undefined): void => {
    if (expected === null || expected === undefined || count === expected) return;
    const problem = `${what}: ${difference(count, expected)}`;
    findings.push(finding('published-size', { where: `fold ${counts.fold}, ${where}`, problem, remedy }));
  };
  for (const part of PARTS) compare(part, 'clips', counts[part].clips, counts[part].publishedClips);
  // Where the parts have published sizes, the total would say the same once more.
  if (published.splits === undefined) {
    compare('train and test', 'clips', counts.train.clips + counts.test.clips, published.total);
  }
  for (const [label, name] of classes.entries()) {
    const count = counts.train.perClass[label]! + counts.test.perClass[label]!;
    compare('train and test', `clips of ${name}`, count, published.classes?.[label]);
  }
  const subjects = subjectCounts([...split.train, ...split.test]).size;
  compare('train and test', 'subjects', subjects, published.subjects);
  return findings;
}

/** Classes that a part lacks, and subjects that both parts have. */
export function contentFindings(
  counts: FoldCounts,
  { fold, split }: ReadFold,
  classes: readonly string[],
): Finding[] {
  const findings: Finding[] = [];
  for (const part of PARTS) {
    if (counts[part].clips === 0) continue;
    for (const [label, name] of classes.entries()) {
      if (counts[part].perClass[label]! > 0) continue;
      const where = `fold ${fold}, ${part}`;
      const problem = `class ${label} (${name}) has no clip`;
      const remedy =
        part === 'train'
          ? 'Without clips the class cannot be learnt: get the missing ones, or leave the class out'
          : 'Without clips its recall cannot be measured: get the missing ones, or leave the class out';
      findings.push(finding('class-without-clips', { where, problem, remedy }));
    }
  }
  const train = subjectCounts(split.train);
  for (const [subject, testClips] of subjectCounts(split.test)) {
    const trainClips = train.get(subject);
    if (trainClips === undefined) continue;
    const problem = `subject ${subject} has clips in train (${trainClips}) and in test (${testClips})`;
    const remedy = 'Move them all to one part: a model that knows the person scores too well';
    findings.push(finding('subject-in-train-and-test', { where: `fold ${fold}`, problem, remedy }));
  }
  return findings;
}

/** The different clips of some folds, with a finding for each that has another label in a later fold. */
export function differentClips(folds: readonly ReadFold[]): { clips: LabelledVideo[]; findings: Finding[] } {
  const clips = new Map<string, LabelledVideo>();
  const firstFold = new Map<string, number>();
  const findings: Finding[] = [];
  for (const { fold, split } of folds) {
    for (const video of [...split.train, ...split.test]) {
      const known = clips.get(video.path);
      if (known === undefined) {
        clips.set(video.path, video);
        firstFold.set(video.path, fold);
      } else if (known.label !== video.label) {
        const problem = `its label is ${video.label} in fold ${fold} and ${known.label} in fold ${firstFold.get(video.path)}`;
        const remedy = 'Get the label files of all folds from the same release';
        findings.push(finding('other-label', { where: placeOf(video), problem, remedy }));
      }
    }
  }
  return { clips: [...clips.values()], findings };
}
