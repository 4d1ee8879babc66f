/** Checks a copy of VoxCeleb2 clip by clip. */
import { stat } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatasetProblem } from '../datasets/dataset.js';
import { forEachConcurrently } from '../datasets/check/concurrent.js';
import { finding, groupFindings, type Finding, type FindingKind } from '../datasets/check/finding.js';
import { VideoDecodeError } from '../errors.js';
import type { Ffmpeg } from '../ffmpeg/ffmpeg.js';
import { DecoderPool } from '../loader/pool.js';
import { archiveProblems } from './archives.js';
import {
  listVoxceleb2,
  partFolder,
  VOXCELEB2_COUNTS,
  VOXCELEB2_LAYOUT,
  VOXCELEB2_PARTS,
  type Voxceleb2Counts,
  type Voxceleb2Listing,
  type Voxceleb2Part,
} from './parts.js';
import { PEOPLE_FILE, readPeople, type Voxceleb2People } from './people.js';

export interface CheckVoxceleb2Options {
  /** Opens no clips: their size, rate and whether they can be read are not found. Default false. */
  readonly quick?: boolean;
  /** What the parts are held to; by default as published. */
  readonly published?: Readonly<Record<Voxceleb2Part, Voxceleb2Counts>>;
  /** Frames from the first to the last of a training clip; default 64, 16 at step 4. */
  readonly spanFrames?: number;
  /** See `DecoderPoolOptions`. */
  readonly workers?: number;
  readonly ffmpeg?: Ffmpeg;
  /** Called after each clip. */
  readonly onProgress?: (checkedClips: number, totalClips: number) => void;
}

/** What was found of a part. */
export interface Voxceleb2PartCheck {
  readonly part: Voxceleb2Part;
  readonly counts: Voxceleb2Counts;
  readonly published: Voxceleb2Counts;
}

/** What a check has found. Everything but `usable` is for people. */
export interface Voxceleb2Check {
  readonly root: string;
  readonly quick: boolean;
  /** Of the parts that are there. */
  readonly parts: readonly Voxceleb2PartCheck[];
  /** Errors first. */
  readonly findings: readonly Finding[];
  /** Clips in which nothing is broken, as far as it was looked at, relative to the root. */
  readonly usable: Readonly<Partial<Record<Voxceleb2Part, readonly string[]>>>;
}

const EDGE = 224;
const FRAMES_PER_SECOND = 25;
const MOST_RATE_DIFFERENCE = 0.1;

const remedies = {
  broken: 'Extract it again; if the archive is whole and it stays broken, leave it out: training does, too',
  otherwise: 'The clips are not as distributed: see who encoded them anew',
};

const asFindings = (kind: FindingKind, problems: readonly DatasetProblem[]) =>
  problems.map((problem) => finding(kind, problem));

/**
 * Looks at both parts of a copy of VoxCeleb2: folders and counts, people, archives where clips are missing, and every
 * clip's header. Frames are not decoded.
 *
 * @param root absolute
 * @throws FfmpegNotFoundError
 */
export async function checkVoxceleb2(
  root: string,
  options: CheckVoxceleb2Options = {},
): Promise<Voxceleb2Check> {
  const { quick = false, published = VOXCELEB2_COUNTS } = options;
  const findings: Finding[] = [];
  const parts: Voxceleb2PartCheck[] = [];
  const listings = new Map<Voxceleb2Part, Voxceleb2Listing>();
  const usable: Partial<Record<Voxceleb2Part, readonly string[]>> = {};
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    const problem = {
      where: root,
      problem: 'there is no such folder',
      remedy: `Give one with ${VOXCELEB2_LAYOUT}`,
    };
    return { root, quick, parts, findings: [finding('missing-part', problem)], usable };
  }
  const people = readPeople(root);
  // One by one: there may be a million, which are too many arguments for `push`.
  const addAll = (found: readonly Finding[]) => found.forEach((one) => findings.push(one));
  addAll(asFindings('listing', people?.problems ?? []));
  for (const part of VOXCELEB2_PARTS) {
    const listing = listVoxceleb2(root, part);
    if (listing === undefined) {
      findings.push(missingPart(part), ...asFindings('archive', archiveProblems(root, part, true)));
      continue;
    }
    listings.set(part, listing);
    const counts = {
      people: listing.people.length,
      videos: listing.videos,
      clips: listing.clips.length,
    };
    parts.push({ part, counts, published: published[part] });
    findings.push(...countFindings(part, counts, published[part], people !== undefined));
    if (counts.clips < published[part].clips) {
      findings.push(...asFindings('archive', archiveProblems(root, part, false)));
    }
    addAll(asFindings('empty-folder', listing.emptyFolders));
    addAll(asFindings('stray', listing.strays));
    if (people !== undefined) findings.push(...peopleFindings(part, listing, people));
  }
  const ids = [...listings.values()].flatMap(({ clips }) => clips);
  const broken = new Set<string>();
  for (const [index, found] of (await inspect(root, ids, options)).entries()) {
    findings.push(...found);
    if (found.some(({ severity }) => severity === 'error')) broken.add(ids[index]!);
  }
  for (const [part, { clips }] of listings) usable[part] = clips.filter((id) => !broken.has(id));
  return {
    ...{ root, quick, parts, usable },
    findings: groupFindings(findings).flatMap((group) => group.findings),
  };
}

function missingPart(part: Voxceleb2Part): Finding {
  return part === 'dev'
    ? finding('missing-part', {
        where: partFolder(part),
        problem: 'the development part, with which the paper pre-trains, is not there',
        remedy: `Expected is ${VOXCELEB2_LAYOUT}`,
      })
    : finding('no-test-part', {
        where: partFolder(part),
        problem: 'the test part is not there',
        remedy: 'Nothing need be done: pre-training reads the development part alone',
      });
}

function countFindings(
  part: Voxceleb2Part,
  counts: Voxceleb2Counts,
  published: Voxceleb2Counts,
  withPeople: boolean,
): Finding[] {
  const other = (['people', 'videos', 'clips'] as const).filter((name) => counts[name] !== published[name]);
  if (other.length === 0) return [];
  const number = (value: number) => value.toLocaleString('en');
  const problem = other
    .map((name) => `${number(counts[name])} ${name} of ${number(published[name])}`)
    .join(', ');
  const lookUp = withPeople ? '' : `; with ${PEOPLE_FILE} beside dev, people that are missing are named`;
  const remedy = `What is missing was not downloaded, not unpacked, or removed: see what else is listed${lookUp}`;
  return [finding('published-size', { where: partFolder(part), problem, remedy })];
}

function peopleFindings(
  part: Voxceleb2Part,
  { people }: Voxceleb2Listing,
  { parts }: Voxceleb2People,
): Finding[] {
  const there = new Set(people);
  const missing = [...parts].flatMap(([id, belongsTo]) => (belongsTo === part && !there.has(id) ? [id] : []));
  const other = people.filter((id) => (parts.get(id) ?? part) !== part);
  const unknown = people.filter((id) => !parts.has(id));
  return [
    ...missing.map((id) =>
      finding('missing-person', {
        where: `${partFolder(part)}/${id}`,
        problem: `${PEOPLE_FILE} has this person in ${part}, and there is no such folder`,
        remedy: 'Extract it again from the archive of its owners',
      }),
    ),
    ...other.map((id) =>
      finding('other-part', {
        where: `${partFolder(part)}/${id}`,
        problem: `${PEOPLE_FILE} has this person in ${parts.get(id)}`,
        remedy: 'Move the folder there: whoever is in both parts makes the test part worthless',
      }),
    ),
    ...unknown.map((id) =>
      finding('stray', {
        where: `${partFolder(part)}/${id}`,
        problem: `${PEOPLE_FILE} does not have this person`,
        remedy: 'See where the folder is from: it is not of VoxCeleb2',
      }),
    ),
  ];
}

/** Findings of each clip, in their order, whichever was done first. */
async function inspect(
  root: string,
  ids: readonly string[],
  { quick = false, spanFrames = 64, workers, ffmpeg, onProgress }: CheckVoxceleb2Options,
): Promise<Finding[][]> {
  const findings: Finding[][] = ids.map(() => []);
  if (ids.length === 0) return findings;
  const pool = quick ? undefined : await DecoderPool.open({ workers, ffmpeg });
  let done = 0;
  try {
    await forEachConcurrently(ids, pool === undefined ? 64 : 2 * pool.workers, async (where, index) => {
      const path = join(root, where);
      const found = (kind: FindingKind, problem: string, remedy: string) =>
        findings[index]!.push(finding(kind, { where, problem, remedy }));
      const { size } = await stat(path).catch(() => ({ size: undefined }));
      if (size === undefined) found('unreadable', 'its file cannot be opened', remedies.broken);
      else if (size === 0) found('empty-clip', 'it has 0 bytes', remedies.broken);
      else if (pool !== undefined) await inspectHeader(pool, path, spanFrames, found);
      onProgress?.(++done, ids.length);
    });
  } finally {
    await pool?.close();
  }
  return findings;
}

async function inspectHeader(
  pool: DecoderPool,
  path: string,
  spanFrames: number,
  found: (kind: FindingKind, problem: string, remedy: string) => void,
): Promise<void> {
  try {
    const { width, height, framesPerSecond, frameCount } = await pool.probe(path);
    if (width !== EDGE || height !== EDGE) {
      found('other-size', `its frames are ${width}×${height}, not ${EDGE}×${EDGE}`, remedies.otherwise);
    }
    if (Math.abs(framesPerSecond - FRAMES_PER_SECOND) > MOST_RATE_DIFFERENCE) {
      const rate = framesPerSecond.toFixed(2).replace(/\.?0+$/, '');
      found('other-rate', `it has ${rate} frames a second, not ${FRAMES_PER_SECOND}`, remedies.otherwise);
    }
    if (frameCount < spanFrames) {
      const problem = `it has ${frameCount} frames, and a clip spans ${spanFrames}`;
      found('short-clip', problem, 'It can be used: its last frame is repeated');
    }
  } catch (error) {
    if (!(error instanceof VideoDecodeError)) throw error;
    found('unreadable', error.reason, remedies.broken);
  }
}
