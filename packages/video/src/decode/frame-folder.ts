/** Folders of frames (jpg or png), read with sharp. A single image is read as a folder that holds it alone. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { cropBox, type CropMode } from '../pixels/crop.js';
import { isSystemFailure, VideoDecodeError } from '../errors.js';
import { codedFrameBytes } from '@tubelet/kernels';
import { keepFrame, keptFrame, type CodedFrames, type StoredFrame } from '../pixels/coded-frames.js';
import { FRAME_FOLDER_RATE, type VideoInfo } from './video-info.js';

const FRAME_EXTENSIONS = new Set(['.jpg', '.jpeg', '.png']);

/** Whether a file name is that of a frame. */
export function isFrameName(name: string): boolean {
  return FRAME_EXTENSIONS.has(extname(name).toLowerCase()) && !name.startsWith('.');
}

/** Frames are far smaller, and a few kilobytes of png can claim to be more than memory holds. */
const MOST_PIXELS = 2 ** 26;

const naturalOrder = new Intl.Collator('en', { numeric: true });

/**
 * The names of frames among the `names` in a folder, in order: by name, numbers by value (`2.jpg` before `10.jpg`).
 * Where all names are equally long, as with zero-padded numbers, that is the order of their characters.
 */
export function frameNamesInOrder(names: readonly string[]): string[] {
  const frames = names.filter(isFrameName);
  const equallyLong = frames.every((name) => name.length === frames[0]?.length);
  return frames.sort(equallyLong ? undefined : naturalOrder.compare);
}

/** The frames of a folder, in the order of {@link frameNamesInOrder}. */
export function listFrames(folder: string): string[] {
  if (isFrameName(folder) && statSync(folder).isFile()) return [folder];
  return frameNamesInOrder(readdirSync(folder)).map((name) => join(folder, name));
}

/** See `probe`. The size is that of the first frame. */
export async function probeFrameFolder(folder: string): Promise<VideoInfo> {
  const frames = listFrames(folder);
  const first = frames[0];
  if (first === undefined) throw new VideoDecodeError(folder, 'the folder holds no jpg or png frames');
  const { width, height } = await readFrameOf(folder, first);
  return {
    path: folder,
    kind: 'frames',
    width,
    height,
    frameCount: frames.length,
    framesPerSecond: FRAME_FOLDER_RATE,
    durationSeconds: frames.length / FRAME_FOLDER_RATE,
    timesSeconds: new Float64Array(0),
    seekable: true,
  };
}

interface Frame {
  /** [height, width, 3]. */
  pixels: Uint8Array;
  width: number;
  height: number;
}

/**
 * Decodes one image to RGB.
 *
 * @throws VideoDecodeError that names the image
 */
export async function readFrame(path: string): Promise<Frame> {
  // Loaded where it is needed: it takes a third of a second of every decoding thread, also of those that see only videos.
  const { default: sharp } = await import('sharp');
  try {
    // Read here, and then in one go from top to bottom: a quarter of the time would go into threads and seeking otherwise.
    const { data, info } = await sharp(readFileSync(path), {
      ...{ failOn: 'error', sequentialRead: true, limitInputPixels: MOST_PIXELS },
    })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { pixels: data, width: info.width, height: info.height };
  } catch (error) {
    if (isSystemFailure(error)) throw error;
    throw new VideoDecodeError(path, (error as Error).message.replaceAll('\n', ' '));
  }
}

/** {@link readFrame}, but what it throws is about the folder, and names the frame in its reason. */
async function readFrameOf(folder: string, path: string): Promise<Frame> {
  try {
    return await readFrame(path);
  } catch (error) {
    if (!(error instanceof VideoDecodeError) || path === folder) throw error;
    throw new VideoDecodeError(folder, `frame ${path}: ${error.reason}`);
  }
}

/**
 * Reads frames of a folder, each of its own size.
 *
 * @param indices which ones, in order.
 * @throws VideoDecodeError naming the folder, and in its reason the frame.
 */
export async function readFolderFrames(
  folder: string,
  indices: readonly number[],
  size: number,
  mode: CropMode,
): Promise<CodedFrames> {
  const files = listFrames(folder);
  const frames: StoredFrame[] = [];
  const pieces: Uint8Array[] = [];
  let offset = 0;
  for (const index of indices) {
    const path = files[index];
    if (path === undefined) {
      throw new VideoDecodeError(folder, `frame ${index} is wanted and the folder holds ${files.length}`);
    }
    const { pixels, width, height } = await readFrameOf(folder, path);
    const box = cropBox(mode, width, height, size);
    const kept = keptFrame({}, box, size);
    const piece = new Uint8Array(codedFrameBytes(kept));
    keepFrame({ width, height }, pixels, box, size, piece);
    frames.push({ ...kept, rotation: 0, offset });
    pieces.push(piece);
    offset += piece.length;
  }
  const bytes = new Uint8Array(4 * Math.ceil(offset / 4));
  for (const [i, { offset: at }] of frames.entries()) bytes.set(pieces[i]!, at);
  return { bytes, frames };
}
