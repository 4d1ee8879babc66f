/** Small videos for the tests, encoded when they are needed. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { wasmInstances } from '../ffmpeg/runner-wasm.js';
import { wasmFfmpeg as findWasmFfmpeg, type WasmFfmpeg } from '../ffmpeg/ffmpeg.js';

/** A folder that is gone after `remove()`. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'tubelet-video-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The WebAssembly ffmpeg, whatever else this machine has. */
export function wasmFfmpeg(): Promise<WasmFfmpeg> {
  const ffmpeg = findWasmFfmpeg();
  return ffmpeg === undefined
    ? Promise.reject(new Error('These tests need the optional package @ffmpeg/core.'))
    : Promise.resolve(ffmpeg);
}

/** Grey level of a digit: far enough apart for any codec. */
const greyOf = (digit: number) => 25 + 20 * digit;

/** Frames [T, height, width, 3] that show their number below 100: tens in the upper half, ones in the lower. */
export function numberedFrames(count: number, width: number, height: number): Uint8Array {
  const frameBytes = width * height * 3;
  const pixels = new Uint8Array(count * frameBytes);
  for (let i = 0; i < count; i++) {
    const middle = i * frameBytes + (height >> 1) * width * 3;
    pixels.fill(greyOf(Math.floor(i / 10)), i * frameBytes, middle);
    pixels.fill(greyOf(i % 10), middle, (i + 1) * frameBytes);
  }
  return pixels;
}

/** The number that a decoded frame [size, size, 3] shows. */
export function frameNumber(pixels: Uint8Array): number {
  // The middle rows mix both digits where the frame was scaled.
  const rows = Math.floor(pixels.length * 0.4);
  const digit = (part: Uint8Array) =>
    Math.floor((part.reduce((total, value) => total + value, 0) / part.length - 15) / 20);
  return 10 * digit(pixels.subarray(0, rows)) + digit(pixels.subarray(-rows));
}

/** Frames [T, height, width, 3] full of colours and edges that move. */
export function texturedFrames(count: number, width: number, height: number): Uint8Array {
  const pixels = new Uint8Array(count * width * height * 3);
  for (let i = 0; i < pixels.length; i += 3) {
    const place = i / 3;
    const [x, y] = [place % width, Math.floor(place / width) % height];
    const time = Math.floor(place / (width * height));
    pixels[i] = 5 * x + 3 * time;
    pixels[i + 1] = 128 + 100 * Math.sin((x + y + 4 * time) / 5);
    pixels[i + 2] = 128 + 100 * Math.cos((y - 2 * time) / 4);
  }
  return pixels;
}

export interface EncodeOptions {
  width: number;
  height: number;
  /** Default 25. */
  framesPerSecond?: number;
  /** Encoder and muxer options; H.264 with B-frames and a key frame every 12 by default. */
  options?: string[];
}

const H264 = [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-bf',
  '2',
  '-g',
  '12',
  '-qp',
  '4',
  '-pix_fmt',
  'yuv420p',
];
/** Options for an AVI file of MPEG-4 frames. */
export const MPEG4 = ['-c:v', 'mpeg4', '-q:v', '2', '-g', '12'];
/** Options for an H.264 file whose header stands in front. */
export const H264_HEADER_FIRST = [...H264, '-movflags', '+faststart'];
/** Options for an H.264 file with the frames at uneven times: each third one is left out. */
export const H264_UNEVEN = [...H264, '-vf', "select='mod(n,3)'", '-fps_mode', 'passthrough'];

/** Makes the file `path` out of one input, with the WebAssembly ffmpeg. The extension of `path` tells its kind. */
async function convert(
  path: string,
  input: Uint8Array,
  inputOptions: string[],
  options: string[],
): Promise<void> {
  const core = await (await wasmInstances(await wasmFfmpeg()))();
  const log: string[] = [];
  core.setLogger(({ message }) => log.push(message));
  const output = `/output.${path.split('.').at(-1)}`;
  core.FS.writeFile('/input', input);
  const exitCode = core.exec('-loglevel', 'error', ...inputOptions, '-i', '/input', ...options, output);
  if (exitCode !== 0) throw new Error(`making ${path} failed: ${log.join('\n')}`);
  writeFileSync(path, core.FS.readFile(output));
}

/** Encodes raw RGB frames [T, height, width, 3] to a video file. */
export function encodeVideo(path: string, frames: Uint8Array, encode: EncodeOptions): Promise<void> {
  const { width, height, framesPerSecond = 25, options = H264 } = encode;
  const input = [
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24',
    '-s',
    `${width}x${height}`,
    '-r',
    `${framesPerSecond}`,
  ];
  return convert(path, frames, input, options);
}

/** Puts the coded frames of a video into another file as they are. */
export function remuxVideo(
  path: string,
  source: string,
  inputOptions: string[],
  options: string[],
): Promise<void> {
  return convert(path, readFileSync(source), inputOptions, ['-c', 'copy', ...options]);
}

/** Writes a video whose frames carry their numbers. */
export async function writeNumberedVideo(path: string, count: number, encode: Partial<EncodeOptions> = {}) {
  const { width = 32, height = 24 } = encode;
  await encodeVideo(path, numberedFrames(count, width, height), { ...encode, width, height });
}

/** Writes a folder of frames that carry their numbers, under the names that `nameOf` gives. */
export async function writeNumberedFolder(
  folder: string,
  count: number,
  nameOf: (index: number) => string,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) {
    const frame = numberedFrames(i + 1, 32, 24).subarray(i * 32 * 24 * 3);
    await sharp(frame, { raw: { width: 32, height: 24, channels: 3 } }).toFile(join(folder, nameOf(i)));
  }
}

/** The numbers of the frames of a clip [T, size, size, 3]. */
export function frameNumbers(clip: Uint8Array, size: number): number[] {
  const frameBytes = size * size * 3;
  return Array.from({ length: clip.length / frameBytes }, (_, i) =>
    frameNumber(clip.subarray(i * frameBytes, (i + 1) * frameBytes)),
  );
}
