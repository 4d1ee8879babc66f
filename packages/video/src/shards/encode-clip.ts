/** A whole video, decoded and encoded anew as square frames. */
import { codedFrameBytes, type Colour } from '@tubelet/kernels';
import { cropBox, type CropMode } from '../pixels/crop.js';
import { decodeFrames, framesPlace } from '../decode/decode.js';
import type { Decoders } from '../decode/decoders.js';
import { VideoDecodeError, VideoEncodeError } from '../errors.js';
import { storeInfo, type StoredInfo } from '../decode/header-cache.js';
import { keptFrame, storedBytes } from '../pixels/coded-frames.js';
import { toRgb } from '../pixels/to-rgb.js';
import { describeTimes, FRAME_FOLDER_RATE, type VideoInfo } from '../decode/video-info.js';
import type { DecoderProcess } from '../webcodecs/client.js';
import type { EncodedVideo, EncodeShape } from '../webcodecs/protocol.js';
import { RefusedVideoError } from '../webcodecs/refused.js';
import { rgbToPlanes } from './rgb-to-planes.js';

export interface ClipToEncode extends EncodeShape {
  info: VideoInfo;
  crop: CropMode;
  /** What was cut out of the video already, and is encoded in place of its frames. */
  cut?: RgbClip;
}

export interface EncodedClip {
  mp4: Uint8Array<ArrayBuffer>;
  /** What it holds. */
  header: StoredInfo;
  frames: number;
  framesPerSecond: number;
}

/** Square frames in memory. */
export interface RgbClip {
  /** [T, size, size, 3] */
  rgb: Uint8Array;
  /** When each is shown, from 0 on. */
  timesSeconds: Float64Array;
}

/** Of frames that were decoded to RGB. */
const PLAIN_COLOUR: Colour = { matrix: 'bt601', fullRange: false };
/** A video that only ffmpeg decodes is held in memory as RGB. */
const LARGEST_RGB_BYTES = 2 ** 30;
/** And before that, as it was decoded: larger frames, of which some videos keep many times what RGB takes. */
const LARGEST_DECODED_BYTES = 2 ** 32;

/** @throws VideoDecodeError where square frames of a video are too many to be held as RGB */
export function requireRgbRoom(info: VideoInfo, frameCount: number, size: number): void {
  requireRoom(info, frameCount, frameCount * size * size * 3, LARGEST_RGB_BYTES);
}

function requireRoom({ path }: VideoInfo, frameCount: number, neededBytes: number, limitBytes: number): void {
  if (neededBytes <= limitBytes) return;
  const reason = `its ${frameCount} frames are too many to be held in memory: cut it into shorter videos`;
  throw new VideoDecodeError(path, reason);
}

/**
 * Encodes a video. Videos that the decoder process reads never leave it: their planes are cut and sized there. All
 * others, and folders of frames, are decoded to RGB first.
 *
 * @throws VideoDecodeError; VideoEncodeError where there is no encoder.
 */
export async function encodeClip(decoders: Decoders, job: ClipToEncode): Promise<EncodedClip> {
  const { webcodecs } = decoders;
  const { info, size } = job;
  if (webcodecs === undefined) {
    throw new VideoEncodeError(info.path, 'the package @napi-rs/webcodecs, which encodes, is not in use');
  }
  const { colour, ...made } = await encodeFrames(decoders, webcodecs, job);
  const described = describeTimes(made.times, FRAME_FOLDER_RATE);
  return {
    mp4: new Uint8Array(made.mp4),
    header: storeInfo({
      ...described,
      ...{ width: size, height: size, seekable: true, colour },
      container: { startSeconds: 0, rotation: 0 },
    }),
    frames: described.frameCount,
    framesPerSecond: described.framesPerSecond,
  };
}

async function encodeFrames(
  decoders: Decoders,
  encoder: DecoderProcess,
  job: ClipToEncode,
): Promise<EncodedVideo & { colour: Colour }> {
  const { info, crop, size, keyFrameInterval } = job;
  const shape = { size, keyFrameInterval };
  if (job.cut !== undefined) return encodeRgb(encoder, info.path, job.cut, shape);
  try {
    const place = framesPlace(
      info,
      Array.from(info.timesSeconds, (_, i) => i),
    );
    const box = cropBox(crop, info.width, info.height, size);
    return {
      ...(await encoder.ask({ kind: 'encode', ...place, ...shape, box })),
      colour: place.colour,
    };
  } catch (error) {
    if (!(error instanceof RefusedVideoError)) throw error;
  }
  requireRgbRoom(info, info.frameCount, size);
  const kept = keptFrame(info, cropBox(crop, info.width, info.height, size), size);
  requireRoom(info, info.frameCount, storedBytes(kept, info.frameCount), LARGEST_DECODED_BYTES);
  const indices = Array.from({ length: info.frameCount }, (_, i) => i);
  const rgb = toRgb(await decodeFrames(decoders, info, indices, { size, crop }), size);
  const timesSeconds = Float64Array.from(indices, (i) => info.timesSeconds[i] ?? i / info.framesPerSecond);
  return encodeRgb(encoder, info.path, { rgb, timesSeconds }, shape);
}

async function encodeRgb(
  encoder: DecoderProcess,
  path: string,
  { rgb, timesSeconds: times }: RgbClip,
  shape: EncodeShape,
): Promise<EncodedVideo & { colour: Colour }> {
  const { size } = shape;
  const frameBytes = codedFrameBytes({ width: size, height: size, colour: PLAIN_COLOUR });
  const planes = new Uint8Array(times.length * frameBytes);
  for (let i = 0; i < times.length; i++) {
    const frame = rgb.subarray(i * size * size * 3, (i + 1) * size * size * 3);
    rgbToPlanes(frame, size, planes.subarray(i * frameBytes));
  }
  try {
    const request = { path, planes, times, colour: PLAIN_COLOUR };
    return {
      ...(await encoder.ask({ kind: 'encodeFrames', ...request, ...shape })),
      colour: PLAIN_COLOUR,
    };
  } catch (error) {
    // Nobody else can encode.
    if (error instanceof RefusedVideoError) throw new VideoDecodeError(path, error.message);
    throw error;
  }
}
