/** A whole video, decoded and encoded anew as square frames. */
import { codedFrameBytes, type Colour } from '@tubelet/kernels';
import { cropBox, type CropMode } from '../crop';
import { decodeFrames, framesPlace } from '../decode';
import type { Decoders } from '../decoders';
import { VideoDecodeError, VideoEncodeError } from '../errors';
import { storeInfo, type StoredInfo } from '../header-cache';
import { toRgb } from '../pixels/to-rgb';
import { describeTimes, FRAME_FOLDER_RATE, type VideoInfo } from '../video-info';
import type { DecoderProcess } from '../webcodecs/client';
import type { EncodedVideo, EncodeShape } from '../webcodecs/protocol';
import { RefusedVideoError } from '../webcodecs/refused';
import { rgbToPlanes } from './rgb-to-planes';

export interface ClipToEncode extends EncodeShape {
  info: VideoInfo;
  crop: CropMode;
}

export interface EncodedClip {
  mp4: Uint8Array<ArrayBuffer>;
  /** What it holds. */
  header: StoredInfo;
  frames: number;
  framesPerSecond: number;
}

/** Of frames that were decoded to RGB. */
const PLAIN_COLOUR: Colour = { matrix: 'bt601', fullRange: false };
/** A video that only ffmpeg decodes is held in memory as RGB. */
const LARGEST_RGB_BYTES = 2 ** 30;

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
  const rgbBytes = info.frameCount * size * size * 3;
  if (rgbBytes > LARGEST_RGB_BYTES) {
    const reason = `its ${info.frameCount} frames are too many to be held in memory: cut it into shorter videos`;
    throw new VideoDecodeError(info.path, reason);
  }
  const indices = Array.from({ length: info.frameCount }, (_, i) => i);
  const rgb = toRgb(await decodeFrames(decoders, info, indices, { size, crop }), size);
  const frameBytes = codedFrameBytes({ width: size, height: size, colour: PLAIN_COLOUR });
  const planes = new Uint8Array(info.frameCount * frameBytes);
  for (let i = 0; i < info.frameCount; i++) {
    const frame = rgb.subarray(i * size * size * 3, (i + 1) * size * size * 3);
    rgbToPlanes(frame, size, planes.subarray(i * frameBytes));
  }
  const times = Float64Array.from(
    { length: info.frameCount },
    (_, i) => info.timesSeconds[i] ?? i / info.framesPerSecond,
  );
  try {
    const request = { path: info.path, planes, times, colour: PLAIN_COLOUR };
    return {
      ...(await encoder.ask({ kind: 'encodeFrames', ...request, ...shape })),
      colour: PLAIN_COLOUR,
    };
  } catch (error) {
    // Nobody else can encode.
    if (error instanceof RefusedVideoError) throw new VideoDecodeError(info.path, error.message);
    throw error;
  }
}
