/** The people of a video: frames are decoded, looked at, and cut. */
import sharp from 'sharp';
import { codedFrameBytes } from '@tubelet/kernels';
import { VideoDecodeError } from '../errors.js';
import type { DecoderPool } from '../loader/pool.js';
import type { RgbImage } from '../pixels/image-passes.js';
import type { VideoInfo } from '../decode/video-info.js';
import type { FaceDetector } from './face.js';
import { cutSquare, frameToRgb } from './frame-rgb.js';
import { lookAt } from './look-at.js';
import { trackFaces, type FaceTrack, type FrameFaces } from './track.js';

/** How often faces are looked for. */
const LOOKS_PER_SECOND = 5;
/** Frames are decoded in stretches of about so many bytes, so that a long video fits into memory. */
const STRETCH_BYTES = 96 * 2 ** 20;

/** The frames of a video at their full size, one after the other. */
export async function* wholeFrames(
  pool: DecoderPool,
  info: VideoInfo,
  indices: readonly number[],
): AsyncGenerator<{ readonly frame: number; readonly image: RgbImage }, void> {
  const { width, height, colour } = info;
  const stretch = Math.max(1, Math.floor(STRETCH_BYTES / codedFrameBytes({ width, height, colour })));
  const size = Math.max(width, height);
  for (let begin = 0; begin < indices.length; begin += stretch) {
    const wanted = indices.slice(begin, begin + stretch);
    const decoded = await pool.readClip(info, wanted, { size, crop: 'none' });
    for (const [i, frame] of wanted.entries()) yield { frame, image: frameToRgb(decoded, i) };
  }
}

/** The frames in which faces are looked for: five a second, with the first and the last. */
export function framesToLookAt(frameCount: number, framesPerSecond: number): number[] {
  const step = Math.max(1, Math.round(framesPerSecond / LOOKS_PER_SECOND));
  const frames = Array.from({ length: Math.ceil(frameCount / step) }, (_, i) => i * step);
  if (frames.at(-1) !== frameCount - 1) frames.push(frameCount - 1);
  return frames;
}

/**
 * The people of a video, who is seen largest and longest first; none where no face is found.
 *
 * @throws VideoDecodeError
 */
export async function findPeople(
  pool: DecoderPool,
  info: VideoInfo,
  detector: FaceDetector,
): Promise<FaceTrack[]> {
  const looks: FrameFaces[] = [];
  let waiting: Promise<FrameFaces>[] = [];
  const frames = framesToLookAt(info.frameCount, info.framesPerSecond);
  for await (const { frame, image } of wholeFrames(pool, info, frames)) {
    waiting.push(lookAt(detector, image).then((faces) => ({ frame, faces })));
    if (waiting.length < 2 * detector.workers) continue;
    looks.push(...(await Promise.all(waiting)));
    waiting = [];
  }
  looks.push(...(await Promise.all(waiting)));
  return trackFaces(looks, info);
}

/** The person of a video whose face data sets are made of. */
export interface MainPerson {
  readonly track: FaceTrack;
  /** People in the video. */
  readonly people: number;
}

/**
 * Who is seen largest and longest in a video.
 *
 * @throws VideoDecodeError, also where no face is found
 */
export async function findMainPerson(
  pool: DecoderPool,
  info: VideoInfo,
  detector: FaceDetector,
): Promise<MainPerson> {
  const tracks = await findPeople(pool, info, detector);
  const [track] = tracks;
  if (track !== undefined) return { track, people: tracks.length };
  throw new VideoDecodeError(info.path, `no face was found in its ${info.frameCount} frames`);
}

/** A frame of a video with the aligned faces of those people who are in it. */
export interface CutFrame {
  readonly frame: number;
  /** Index of the person. */
  readonly person: number;
  /** [size, size, 3], RGB. */
  readonly pixels: Uint8Array;
}

/**
 * The aligned faces of people, frame by frame.
 *
 * @throws VideoDecodeError
 */
export async function* cutFaces(
  pool: DecoderPool,
  info: VideoInfo,
  tracks: readonly FaceTrack[],
  size: number,
): AsyncGenerator<CutFrame, void> {
  const squares = tracks.map(({ frames }) => new Map(frames.map((one) => [one.frame, one])));
  const wanted = [...new Set(squares.flatMap((ofPerson) => [...ofPerson.keys()]))].sort((a, b) => a - b);
  for await (const { frame, image } of wholeFrames(pool, info, wanted)) {
    for (const [person, ofPerson] of squares.entries()) {
      const square = ofPerson.get(frame);
      if (square !== undefined) yield { frame, person, pixels: cutSquare(image, square, size) };
    }
  }
}

/** An image as a jpg that keeps colours at full resolution. */
export function imageToJpg({ pixels, width, height }: RgbImage): Promise<Buffer> {
  const raw = { width, height, channels: 3 } as const;
  return sharp(pixels, { raw }).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
}
