/**
 * Decoding. Frames of videos in 4:2:0 with 8 bits stay planes, as they were coded; those in other pixel formats, and
 * the images of folders, become RGB. Of each, what is not used is cut off, and what is much too large is halved.
 */
import { cropBox, type CropMode } from '../pixels/crop.js';
import { VideoDecodeError } from '../errors.js';
import { readFolderFrames } from './frame-folder.js';
import { complaints } from '../ffmpeg/ffmpeg-output.js';
import { codedFrameBytes } from '@tubelet/kernels';
import {
  alikeFrames,
  codedBox,
  keepFrame,
  keptFrame,
  shownSize,
  storedBytes,
  type CodedFrames,
} from '../pixels/coded-frames.js';
import { probeVideo } from '../ffmpeg/probe.js';
import type { Decoders } from './decoders.js';
import type { FfmpegRunner } from '../ffmpeg/runner.js';
import type { VideoInfo } from './video-info.js';
import type { DecoderProcess } from '../webcodecs/client.js';
import type { FramesPlace } from '../webcodecs/protocol.js';
import { RefusedVideoError } from '../webcodecs/refused.js';

/** How frames are cut and sized. */
export interface FrameShape {
  /** Edge of the square frames, in pixels. */
  size: number;
  crop: CropMode;
}

/**
 * Keeps frames of 4:2:0 with 8 bits as they were coded; a stream that changes its size on the way is brought to the
 * first one.
 */
const KEEP_PLANES = 'format=yuv420p|yuvj420p';
/** Rounding in the conversion must not depend on the processor, or a run would not repeat elsewhere. */
const TO_RGB = 'format=rgb24';
const scale = ({ width, height }: VideoInfo) =>
  `scale=${width}:${height}:flags=bilinear+accurate_rnd+full_chroma_int+bitexact`;

/**
 * Frames that the decoder may owe at the end of a stream: some containers count packets that show nothing. Those
 * that are missing repeat the last frame, as in a clip that outlasts its video.
 */
const missingFramesAllowed = (frameCount: number) => Math.max(2, Math.floor(frameCount / 50));

function seekOptions(info: VideoInfo, firstFrame: number): string[] {
  if (firstFrame === 0 || !info.seekable) return [];
  // Half-way between the frame before and this one, so that no rounding can pick another.
  const times = info.timesSeconds;
  const seconds = ((times[firstFrame - 1] as number) + (times[firstFrame] as number)) / 2;
  return ['-ss', seconds.toFixed(6)];
}

/** Picks the frames at these distances from the first decoded one; nothing where they are all from it on. */
function selectFrames(offsets: readonly number[]): string {
  const [first, second] = offsets as [number, number?];
  const step = second === undefined ? 1 : second - first;
  const even = offsets.every((offset, i) => offset === first + i * step);
  if (!even) return `select='${offsets.map((offset) => `eq(n,${offset})`).join('+')}',`;
  return step > 1 || first > 0 ? `select='gte(n,${first})*not(mod(n-${first},${step}))',` : '';
}

/**
 * Decodes frames.
 *
 * @param indices which ones, rising.
 * @throws VideoDecodeError when the file does not hold the frames that its header promises.
 */
async function decodeWithFfmpeg(
  runner: FfmpegRunner,
  info: VideoInfo,
  indices: readonly number[],
  { size, crop }: FrameShape,
): Promise<CodedFrames> {
  const [firstFrame, lastFrame] = [indices[0] as number, indices.at(-1) as number];
  // Without seeking, the frames in front are decoded and dropped.
  const begin = info.seekable ? firstFrame : 0;
  const select = selectFrames(indices.map((index) => index - begin));
  const { width, height, colour } = info;
  const decoded = new Uint8Array(codedFrameBytes(info));
  const box = cropBox(crop, width, height, size);
  const kept = keptFrame(info, box, size);
  const frameBytes = codedFrameBytes(kept);
  const bytes = new Uint8Array(storedBytes(kept, indices.length));
  let filledBytes = 0;
  let received = 0;
  const { exitCode, log } = await runner.run({
    input: info,
    inputOptions: seekOptions(info, firstFrame),
    outputOptions: [
      ...['-map', '0:v:0', '-vf', `${select}${scale(info)},${colour === undefined ? TO_RGB : KEEP_PLANES}`],
      ...[...runner.passEveryFrame, '-frames:v', String(indices.length), '-f', 'rawvideo'],
    ],
    onOutput(output) {
      for (let from = 0; from < output.length && received < indices.length;) {
        const piece = output.subarray(from, from + decoded.length - filledBytes);
        decoded.set(piece, filledBytes);
        from += piece.length;
        filledBytes += piece.length;
        if (filledBytes < decoded.length) return;
        keepFrame(info, decoded, box, size, bytes.subarray(received++ * frameBytes));
        filledBytes = 0;
      }
    },
  });
  if (exitCode !== 0) throw new VideoDecodeError(info.path, complaints(log));
  const firstMissing = indices[received] ?? Infinity;
  if (received === 0 || lastFrame - firstMissing >= missingFramesAllowed(info.frameCount)) {
    throw new VideoDecodeError(
      info.path,
      `it promises ${info.frameCount} frames, but of ${indices.length} wanted from frame ${firstFrame} to ` +
        `${lastFrame} ${received} were decoded`,
    );
  }
  for (let i = received; i < indices.length; i++) {
    bytes.copyWithin(i * frameBytes, (received - 1) * frameBytes, received * frameBytes);
  }
  // ffmpeg has turned them.
  return { bytes, frames: alikeFrames(kept, 0, indices.length) };
}

/**
 * What a decoder process needs to find frames.
 *
 * @throws RefusedVideoError for a video that it was not the one to probe, or one of an odd width or height
 */
export function framesPlace(info: VideoInfo, indices: readonly number[]): FramesPlace {
  const { path, part, width, height, timesSeconds, colour, container } = info;
  if (container === undefined || colour === undefined) throw new RefusedVideoError('it was probed by ffmpeg');
  // Headers that an earlier version has kept may have such.
  if (width % 2 !== 0 || height % 2 !== 0)
    throw new RefusedVideoError('its frames have an odd width or height');
  const { startSeconds, rotation } = container;
  const times = Float64Array.from(indices, (index) => (timesSeconds[index] as number) + startSeconds);
  return { path, part, times, rotation, colour, width, height };
}

/**
 * {@link decodeWithFfmpeg}, in a decoder process.
 *
 * @throws RefusedVideoError where ffmpeg is to try
 */
async function decodeWithWebcodecs(
  decoder: DecoderProcess,
  info: VideoInfo,
  indices: readonly number[],
  { size, crop }: FrameShape,
): Promise<CodedFrames> {
  const { width, height } = info;
  const place = framesPlace(info, indices);
  const { rotation, colour } = place;
  const coded = { ...shownSize({ width, height, rotation }), colour };
  const box = codedBox(cropBox(crop, width, height, size), coded.width, coded.height, rotation);
  const bytes = await decoder.ask({ kind: 'frames', ...place, box, size });
  return { bytes, frames: alikeFrames(keptFrame(coded, box, size), rotation, indices.length) };
}

/** Decodes frames with the decoder that the file is for; clips that the WebCodecs decoder refuses are ffmpeg's. */
async function decodeVideoFrames(
  { webcodecs, ffmpeg }: Decoders,
  info: VideoInfo,
  indices: readonly number[],
  shape: FrameShape,
): Promise<CodedFrames> {
  if (info.container === undefined || webcodecs === undefined) {
    return decodeWithFfmpeg(ffmpeg, info, indices, shape);
  }
  try {
    return await decodeWithWebcodecs(webcodecs, info, indices, shape);
  } catch (error) {
    if (!(error instanceof RefusedVideoError)) throw error;
    const probed = await probeVideo(ffmpeg, { path: info.path, part: info.part });
    if (probed.frameCount !== info.frameCount) {
      throw new VideoDecodeError(
        info.path,
        `${error.message}; ffmpeg counts ${probed.frameCount} frames in place of ${info.frameCount}`,
      );
    }
    return decodeWithFfmpeg(ffmpeg, probed, indices, shape);
  }
}

/**
 * Decodes frames of a video or folder.
 *
 * @param indices never falling, in steps of any width; each frame is decoded once however often it is named.
 * @throws VideoDecodeError
 */
export async function decodeFrames(
  decoders: Decoders,
  info: VideoInfo,
  indices: readonly number[],
  shape: FrameShape,
): Promise<CodedFrames> {
  const distinct = [...new Set(indices)];
  const decoded =
    info.kind === 'frames'
      ? await readFolderFrames(info.path, distinct, shape.size, shape.crop)
      : await decodeVideoFrames(decoders, info, distinct, shape);
  if (distinct.length === indices.length) return decoded;
  const places = new Map(distinct.map((index, place) => [index, place]));
  return { bytes: decoded.bytes, frames: indices.map((index) => decoded.frames[places.get(index)!]!) };
}
