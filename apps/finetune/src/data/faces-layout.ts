/** Where the aligned faces of a video go, so that the readers of the data set find them. */
import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { OptionError, UserError } from '@tubelet/trainer';

/** Data sets that are distributed as videos and read as aligned faces; `folder` is any other set of videos. */
export const FACE_SETS = ['crema-d', 'ravdess', 'enterface05', 'folder'] as const;
export type FaceSet = (typeof FACE_SETS)[number];

/** A folder relative to that of all faces, or why a video is not used. */
export type FacePlace = { readonly folder: string } | { readonly leftOut: string };

const FACES = 'face_aligned';

type Place = (parts: readonly string[]) => FacePlace;

const cremaD: Place = (parts) => {
  const name = parts.at(-1)!;
  if (/^\d{4}_[A-Z]{3}_[A-Z]{3}_(LO|MD|HI|XX?)$/.test(name)) return { folder: `${FACES}/${name}` };
  return { leftOut: 'no name of a CREMA-D clip, such as 1001_DFA_ANG_XX' };
};

const ravdess: Place = (parts) => {
  const name = parts.at(-1)!;
  const fields = /^(0[1-3])-(0[12])(?:-\d\d){4}-(\d\d)$/.exec(name);
  if (fields === null) return { leftOut: 'no name of a RAVDESS clip, such as 02-01-06-01-02-01-12' };
  if (fields[1] !== '02' || fields[2] !== '01')
    return { leftOut: 'not of the protocol, which has speech without sound: names beginning with 02-01' };
  return { folder: `${FACES}/Actor_${fields[3]}/${name}` };
};

const enterface05: Place = (parts) => {
  // Folders are "subject 1", "anger", "sentence 1"; file names have slips, folders have none.
  const [subject, emotion, sentence] = parts.slice(-4, -1);
  const [, person] = /^subject[ _](\d+)$/.exec(subject ?? '') ?? [];
  const [, number] = /^sentence[ _](\d)$/.exec(sentence ?? '') ?? [];
  if (person === '6') return { leftOut: 'subject 6 is not part of the protocol' };
  if (person === undefined || number === undefined || !/^[a-z]{4,}$/.test(emotion ?? ''))
    return { leftOut: 'not where a clip lies, such as subject 1/anger/sentence 1/s1_an_1.avi' };
  const name = `s${person}_${emotion!.slice(0, 2)}_${number}`;
  return { folder: `${FACES}/subject_${person}/${emotion}/sentence_${number}/${name}` };
};

const PLACES: Readonly<Record<FaceSet, Place>> = {
  ...{ 'crema-d': cremaD, ravdess, enterface05 },
  folder: (parts) => ({ folder: parts.join('/') }),
};

/** Where the faces of a video belong. A folder of frames that is the root itself goes by its own name. */
export function facePlace(set: FaceSet, root: string, path: string): FacePlace {
  const parts = (relative(root, path) || basename(root)).split(sep);
  const name = parts.pop() ?? '';
  // In the name of a folder, what follows a dot is no extension.
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  return PLACES[set]([...parts, isFolder ? name : name.replace(/\.[^.]+$/, '')]);
}

/** A video, and the folder below `--out` for the faces of its person. */
export interface FaceJob {
  readonly source: string;
  readonly folder: string;
}

/** The folders that a path lies in, the nearest first. */
function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...foldersAbove(above)];
}

/** Where a path leads, links followed; the path itself where nothing is there yet. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/**
 * Faces replace the folder that they are for, with all that is in it.
 *
 * @throws UserError, OptionError where that would take away a video, or the faces of another one
 */
export function requireApart(
  jobs: Iterable<FaceJob>,
  sources: readonly string[],
  { root, out }: { readonly root: string; readonly out: string },
): void {
  const top = realPath(out);
  const kept = new Set(sources.flatMap((source) => [source, realPath(source)]));
  const targets = new Map(Array.from(jobs, (job) => [resolve(top, job.folder), job]));
  for (const [target, { source }] of targets) {
    const above = foldersAbove(target);
    if (!above.includes(top))
      throw new UserError(
        `${source} does not lie below ${root}: give a folder that holds all videos, or a list that lies in it, as --root`,
      );
    const outer = above.find((folder) => targets.has(folder));
    if (outer !== undefined)
      throw new UserError(
        `the faces of ${source} would lie among those of ${targets.get(outer)!.source}, in ${outer}: rename one of the two`,
      );
    const held = [target, ...above].find((folder) => kept.has(folder));
    if (held !== undefined)
      throw new OptionError(
        '--out',
        out,
        `another folder: ${held}, where faces would go, is to be cut itself`,
      );
  }
  for (const source of kept) {
    const target = foldersAbove(source).find((folder) => targets.has(folder));
    if (target !== undefined)
      throw new OptionError(
        '--out',
        out,
        `another folder: faces would replace ${target}, which holds ${source}`,
      );
  }
}
