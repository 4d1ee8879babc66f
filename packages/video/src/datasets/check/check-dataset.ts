/**
 * Checks a copy of a labelled data set.
 *
 * ```ts
 * const check = await checkDataset(await openDataset({ name: 'dfew', root: '/data/DFEW' }));
 * for (const { severity, title, findings } of groupFindings(check.findings)) {
 *   console.log(severity, findings.length, title, findings[0]);
 * }
 * ```
 */
/** Checks a copy of a labelled data set against what its owners publish, and against itself. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FaceDetector } from '../../faces/face.js';
import type { Ffmpeg } from '../../ffmpeg/ffmpeg.js';
import { DecoderPool } from '../../loader/pool.js';
import type { Dataset, DatasetError, LabelledVideo } from '../dataset.js';
import { relativeName } from '../files.js';
import { DATASETS, type DatasetName, type DatasetProtocol } from '../protocols.js';
import { sameContentFindings } from './check-content.js';
import {
  contentFindings,
  countFold,
  differentClips,
  readFolds,
  sizeFindings,
  type FoldCounts,
} from './check-splits.js';
import { faceCropFindings, measureFaceCrops, type FaceCrops } from './face-crops.js';
import { finding, groupFindings, type Finding } from './finding.js';
import type { FrameSizeCount } from './frame-sizes.js';
import { inspectClips } from './inspect-clips.js';
import { commonFolder, isWithin, unlistedClips, type UnreadFolder } from './unlisted.js';

export interface CheckDatasetOptions {
  /** Which folds; all by default. */
  readonly folds?: readonly number[];
  /** Does not open images and videos: sizes, unreadable files and equal contents are not found. Default false. */
  readonly quick?: boolean;
  /** What the data set is held to; by default its entry in `DATASETS`. */
  readonly protocol?: Pick<DatasetProtocol, 'frameStep' | 'frameExtension' | 'alignedFaces' | 'published'>;
  /** Frames of a clip; default 16. */
  readonly frames?: number;
  /** Edge of the frames that the model takes, in pixels; default 160. */
  readonly size?: number;
  /** Clips that are looked at together; default 16. */
  readonly concurrency?: number;
  /** As `resolveFfmpeg` found it, which is also the default. Only video files need it. */
  readonly ffmpeg?: Ffmpeg;
  /** Finds the faces of a sample of the clips, so that their size and place can be compared; without it they are not. */
  readonly detector?: FaceDetector;
  /** Called after each clip. */
  readonly onProgress?: (checkedClips: number, totalClips: number) => void;
}

/** How many frames the clips have. */
export interface FrameCounts {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** What a check has found. Everything in it can be written as JSON. */
export interface DatasetCheck {
  readonly name: string;
  readonly title: string;
  readonly root: string;
  readonly quick: boolean;
  readonly classes: readonly string[];
  /** Those that could be read. */
  readonly folds: readonly FoldCounts[];
  /** Counted from 1: their label files are wrong, so that nothing else of them was checked. */
  readonly unreadFolds: readonly number[];
  /** Different clips of the folds that could be read. */
  readonly clips: number;
  /** Null where no frames were counted. */
  readonly frameCounts: FrameCounts | null;
  /** The most frequent first; empty for a quick check. */
  readonly frameSizes: readonly FrameSizeCount[];
  /** Null where faces were not looked for. */
  readonly faceCrops: FaceCrops | null;
  /** Errors first. */
  readonly findings: readonly Finding[];
}

/** With fewer clips, equal lengths are no surprise. */
const EQUAL_LENGTHS_FROM = 20;

/**
 * Looks at every clip of a data set and compares counts with the published ones. Memory grows with the number of
 * clips and findings, not with their size.
 *
 * @throws RangeError for a fold that the data set does not have; FfmpegNotFoundError when there are video files to open
 *   and no ffmpeg.
 */
export async function checkDataset(
  dataset: Dataset,
  options: CheckDatasetOptions = {},
): Promise<DatasetCheck> {
  const { quick = false, frames = 16, size = 160, concurrency = 16 } = options;
  const folds = options.folds ?? foldNumbers(dataset.folds);
  const protocol = options.protocol ?? DATASETS[dataset.name as DatasetName];
  const published = protocol.published ?? null;

  const { read, findings } = readFolds(dataset, folds);
  const counts = read.map((fold) => countFold(fold, dataset.classes, published));
  for (const [i, fold] of read.entries()) {
    if (published !== null) findings.push(...sizeFindings(counts[i]!, fold, dataset, published));
    findings.push(...contentFindings(counts[i]!, fold, dataset.classes));
  }
  const { clips, findings: labelFindings } = differentClips(read);
  findings.push(...labelFindings);

  const inspected = await inspectClips(clips, {
    quick,
    frameExtension: protocol.frameExtension,
    spanFrames: frames * protocol.frameStep,
    frameSize: size,
    concurrency,
    ffmpeg: options.ffmpeg,
    onProgress: options.onProgress,
  });
  findings.push(...inspected.findings, ...inspected.sizes.findings());
  findings.push(...sameContentFindings(inspected.byFingerprint, read));
  if (published !== null) findings.push(...equalLengthFindings(inspected.frameCounts));
  const faceCrops = await lookAtFaces(clips, options);
  if (faceCrops !== null) findings.push(...faceCropFindings(faceCrops, protocol.alignedFaces ?? false));
  for (const problem of dataset.leftOut ?? []) findings.push(finding('left-out', problem));
  if (clips.length > 0) findings.push(...(await unlistedFindings(dataset, clips)));

  const readNumbers = new Set(read.map(({ fold }) => fold));
  return {
    name: dataset.name,
    title: dataset.title,
    root: dataset.root,
    quick,
    classes: dataset.classes,
    folds: counts,
    unreadFolds: folds.filter((fold) => !readNumbers.has(fold)),
    clips: clips.length,
    frameCounts: summarise(inspected.frameCounts),
    frameSizes: inspected.sizes.counts(),
    faceCrops,
    findings: groupFindings(findings).flatMap((group) => group.findings),
  };
}

/** The check of a data set that cannot be opened: what `openDataset` found wrong, and nothing else. */
export function unopenedCheck(
  name: DatasetName,
  root: string,
  { problems }: DatasetError,
  { quick = false, folds }: Pick<CheckDatasetOptions, 'quick' | 'folds'> = {},
): DatasetCheck {
  const protocol: DatasetProtocol = DATASETS[name];
  return {
    name,
    title: protocol.title,
    root,
    quick,
    classes: protocol.classes ?? [],
    folds: [],
    unreadFolds: folds ?? foldNumbers(protocol.folds ?? 1),
    clips: 0,
    frameCounts: null,
    frameSizes: [],
    faceCrops: null,
    findings: problems.map((problem) => finding('listing', problem)),
  };
}

/** 1 … count */
const foldNumbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

async function lookAtFaces(
  clips: readonly LabelledVideo[],
  { detector, ffmpeg }: CheckDatasetOptions,
): Promise<FaceCrops | null> {
  if (detector === undefined) return null;
  const pool = await DecoderPool.open({ workers: detector.workers, ffmpeg });
  try {
    return await measureFaceCrops(clips, detector, pool);
  } finally {
    await pool.close();
  }
}

function summarise(frameCounts: readonly number[]): FrameCounts | null {
  if (frameCounts.length === 0) return null;
  const sorted = [...frameCounts].sort((a, b) => a - b);
  return { least: sorted[0]!, median: sorted[sorted.length >> 1]!, most: sorted.at(-1)! };
}

function equalLengthFindings(frameCounts: readonly number[]): Finding[] {
  if (frameCounts.length < EQUAL_LENGTHS_FROM || new Set(frameCounts).size > 1) return [];
  return [
    finding('equal-lengths', {
      where: 'all folds',
      problem: `all ${frameCounts.length} clips have ${frameCounts[0]} frames`,
      remedy:
        'These look like clips cut to one length: use those in their original length, which the protocol samples',
    }),
  ];
}

/** The root of a data set, or the folder of the file that it is. */
const folderOf = (root: string): string => (statSync(root).isDirectory() ? root : dirname(root));

async function unlistedFindings(
  { root, leftOut = [] }: Dataset,
  clips: readonly LabelledVideo[],
): Promise<Finding[]> {
  const folder = commonFolder(clips.map(({ path }) => path));
  const known = new Set([...clips.map(({ path }) => path), ...leftOut.map(({ where }) => where)]);
  const remedy = 'Nothing need be done unless clips are missing elsewhere';
  if (!isWithin(folder, folderOf(root))) {
    const problem = 'it lies outside the folder of the data set';
    return [finding('not-searched', { where: folder, problem, remedy })];
  }
  const findings: Finding[] = [];
  const unread = ({ path, message }: UnreadFolder) =>
    findings.push(finding('not-searched', { where: path, problem: message, remedy }));
  for await (const path of unlistedClips(folder, known, unread)) {
    const problem = 'no label file lists it';
    const remedy =
      'Nothing need be done unless it should be used: most data sets hold more than their protocol uses';
    findings.push(finding('unlisted-clip', { where: relativeName(folderOf(root), path), problem, remedy }));
  }
  return findings;
}
