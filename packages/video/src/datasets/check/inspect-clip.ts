/** Looks at one clip of a data set on the disk. */
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { isOfSystem, VideoDecodeError } from '../../errors.js';
import { frameNamesInOrder, isFrameName, readFrame } from '../../decode/frame-folder.js';
import type { DecoderPool } from '../../loader/pool.js';
import type { LabelledVideo } from '../dataset.js';
import { finding, type Finding, type FindingKind } from './finding.js';
import { fileFingerprint, frameFolderFingerprint } from './fingerprint.js';
import { frameNumberProblem } from './frame-numbers.js';
import { looksWhole } from './whole-image.js';

export interface InspectOptions {
  /** Leaves images and videos closed: only names, numbers and lengths of files are looked at. */
  readonly quick: boolean;
  /** What names of frames end in, such as `.jpg`; undefined where any will do. */
  readonly frameExtension?: string;
  /** Frames from the first to the last of a clip: frames × step. */
  readonly spanFrames: number;
  /** Edge of the frames that the model takes, in pixels. */
  readonly frameSize: number;
  /** Opens the decoder for video files when the first one is met. */
  readonly decoder: () => Promise<DecoderPool>;
}

/** What a clip holds, as far as it was looked at. */
export interface ClipInspection {
  readonly findings: readonly Finding[];
  /** 0 for a clip that is missing or empty; undefined for a video file that was not opened. */
  readonly frameCount?: number;
  /** Of the first frame, in pixels. */
  readonly size?: { readonly width: number; readonly height: number };
  /** The same for clips with the same content. */
  readonly fingerprint?: string;
}

/** The place of a clip as a finding states it: the line that lists it, if there is one, and the clip. */
export function placeOf({ id, listedAt }: LabelledVideo): string {
  return listedAt === undefined ? id : `${listedAt}, ${id}`;
}

/**
 * Looks at a folder of frames or a video file.
 *
 * @throws FfmpegNotFoundError where a video file cannot be opened for it
 */
export async function inspectClip(video: LabelledVideo, options: InspectOptions): Promise<ClipInspection> {
  const found = (kind: FindingKind, problem: string, remedy: string): Finding =>
    finding(kind, { where: placeOf(video), problem, remedy });
  const entry = await stat(video.path).catch((error: NodeJS.ErrnoException) => error);
  if (entry instanceof Error) {
    const why = entry.code === 'ENOENT' || entry.code === 'ENOTDIR' ? 'there is no such clip' : entry.message;
    const remedy = 'Extract it again from the archive of its owners, or correct the path in the label file';
    return { findings: [found('missing-clip', `${video.path}: ${why}`, remedy)], frameCount: 0 };
  }
  if (entry.isDirectory()) return inspectFolder(video.path, options, found);
  if (entry.size === 0) {
    const remedy = 'Copy or extract it again: the copy was cut off';
    return { findings: [found('empty-clip', `${video.path} has 0 bytes`, remedy)], frameCount: 0 };
  }
  if (isFrameName(video.path)) return inspectFrames([video.path], options, found);
  return options.quick ? { findings: [] } : inspectVideoFile(video.path, options, found);
}

type Found = (kind: FindingKind, problem: string, remedy: string) => Finding;

async function inspectFolder(path: string, options: InspectOptions, found: Found): Promise<ClipInspection> {
  let listed: string[];
  try {
    listed = await readdir(path);
  } catch (error) {
    return { findings: [unreadable(error, found)], frameCount: 0 };
  }
  const names = frameNamesInOrder(listed);
  if (names.length === 0) {
    const others = listed.length === 0 ? 'the folder is empty' : `no jpg or png among ${otherFiles(listed)}`;
    const remedy =
      'Extract the frames of this clip again; where face detection found nothing, ask the owners';
    return { findings: [found('empty-clip', `${path}: ${others}`, remedy)], frameCount: 0 };
  }
  return inspectFrames(
    names.map((name) => join(path, name)),
    options,
    found,
  );
}

/** Looks at the frames of a clip, one at least. */
async function inspectFrames(
  frames: readonly string[],
  options: InspectOptions,
  found: Found,
): Promise<ClipInspection> {
  const names = frames.map((path) => basename(path));
  const findings = [
    ...extensionFindings(names, options.frameExtension, found),
    ...numberFindings(names, found),
    ...lengthFindings(names.length, options.spanFrames, found),
  ];
  if (options.quick) return { findings, frameCount: names.length };
  const empty = await emptyFiles(frames);
  if (empty.length > 0) {
    const named = empty.slice(0, 3).join(', ') + (empty.length > 3 ? ', …' : '');
    const problem = `${empty.length} of its ${names.length} frames have 0 bytes: ${named}`;
    return {
      findings: [...findings, found('empty-file', problem, 'Copy or extract this clip again')],
      frameCount: names.length,
    };
  }
  try {
    const size = await readSize(frames[0]!);
    const last = frames.length > 1 ? await readSize(frames.at(-1)!) : size;
    await readDoubtful(frames.slice(1, -1));
    findings.push(...sizeFindings(size, options.frameSize, found));
    if (last.width !== size.width || last.height !== size.height) {
      const problem = `the first frame is ${sizeText(size)}, the last ${sizeText(last)}`;
      const remedy = 'Crop and scale all frames of a clip alike';
      findings.push(found('changing-size', problem, remedy));
    }
    return { findings, frameCount: names.length, size, fingerprint: await frameFolderFingerprint(frames) };
  } catch (error) {
    return { findings: [...findings, unreadable(error, found)], frameCount: names.length };
  }
}

async function inspectVideoFile(
  path: string,
  options: InspectOptions,
  found: Found,
): Promise<ClipInspection> {
  const decoder = await options.decoder();
  try {
    const info = await decoder.probe(path);
    const shape = { size: 16, crop: 'none' } as const;
    await decoder.readRange(info, shape, 0, 1);
    await decoder.readRange(info, shape, info.frameCount - 1);
    const size = { width: info.width, height: info.height };
    const findings = [
      ...lengthFindings(info.frameCount, options.spanFrames, found),
      ...sizeFindings(size, options.frameSize, found),
    ];
    return { findings, frameCount: info.frameCount, size, fingerprint: await fileFingerprint(path) };
  } catch (error) {
    return { findings: [unreadable(error, found)] };
  }
}

/** What a file that cannot be opened or decoded becomes. Other errors are passed on. */
function unreadable(error: unknown, found: Found): Finding {
  if (!(error instanceof VideoDecodeError) && !isOfSystem(error)) throw error;
  return found(
    'unreadable',
    error.message,
    'Copy or extract it again; if the original is damaged too, leave it out',
  );
}

async function readSize(path: string): Promise<{ width: number; height: number }> {
  const { width, height } = await readFrame(path);
  return { width, height };
}

/**
 * Decodes those that do not look whole.
 *
 * @throws VideoDecodeError for the first that cannot be decoded
 */
async function readDoubtful(frames: readonly string[]): Promise<void> {
  for (const path of frames) if (!(await looksWhole(path))) await readFrame(path);
}

async function emptyFiles(paths: readonly string[]): Promise<string[]> {
  const empty: string[] = [];
  for (const path of paths) if ((await stat(path)).size === 0) empty.push(path);
  return empty;
}

function otherFiles(names: readonly string[]): string {
  const extensions = [...new Set(names.map((name) => extname(name) || name))].sort().slice(0, 5).join(', ');
  return `${names.length} ${names.length === 1 ? 'file' : 'files'} (${extensions})`;
}

function extensionFindings(names: readonly string[], expected: string | undefined, found: Found): Finding[] {
  if (expected === undefined) return [];
  const other = names.filter((name) => extname(name).toLowerCase() !== expected);
  if (other.length === 0) return [];
  const problem = `${other.length} of its ${names.length} frames do not end in ${expected}, such as ${other[0]}`;
  const remedy = `The owners distribute ${expected} frames: see whether these are theirs or were made otherwise`;
  return [found('file-extension', problem, remedy)];
}

function numberFindings(names: readonly string[], found: Found): Finding[] {
  const problem = frameNumberProblem(names);
  const remedy =
    'Extract every frame again; where face detection left frames out, movements look faster than they were';
  return problem === null ? [] : [found('frame-numbers', problem, remedy)];
}

function lengthFindings(frameCount: number, spanFrames: number, found: Found): Finding[] {
  if (frameCount === 1) {
    const remedy = 'It can be used: its one frame is repeated, and there is no movement to learn from';
    return [found('single-frame', 'it has 1 frame', remedy)];
  }
  if (frameCount >= spanFrames) return [];
  const problem = `it has ${frameCount} frames, and a clip spans ${spanFrames}`;
  return [found('short-clip', problem, 'It can be used: its last frame is repeated')];
}

const sizeText = ({ width, height }: { width: number; height: number }): string => `${width}×${height}`;

function sizeFindings(size: { width: number; height: number }, frameSize: number, found: Found): Finding[] {
  const findings: Finding[] = [];
  const text = `its frames are ${sizeText(size)}`;
  const faceCrops =
    'Are these the face crops of the owners? Whole frames, or crops made otherwise, cost accuracy';
  const enlarged =
    'They are enlarged, which adds nothing: get larger ones, or where all are small, train with a smaller --image-size';
  if (size.width !== size.height) findings.push(found('not-square', text, faceCrops));
  if (Math.min(size.width, size.height) < frameSize) {
    findings.push(found('small-frames', `${text}, and the model takes ${frameSize}×${frameSize}`, enlarged));
  }
  return findings;
}
