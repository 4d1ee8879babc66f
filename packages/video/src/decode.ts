/**
 * Decoding to square RGB frames. Folders of frames, and videos in other pixel formats than 4:2:0 with 8 bits, are
 * resized as Pillow does it, to the bit (`resizeBilinear`). Frames in 4:2:0 are scaled with the same filter, but as
 * planes, and then converted (`planesToRgb`).
 */
import { cropBox, type CropMode } from './crop';
import { VideoDecodeError } from './errors';
import { readFolderFrames } from './frame-folder';
import { complaints } from './ffmpeg-output';
import { planarFrameBytes, planesToRgb } from './planes';
import { resizeBilinear } from './resize';
import { probeVideo } from './probe';
import type { Decoders } from './decoders';
import type { FfmpegRunner } from './runner';
import type { VideoInfo } from './video-info';
import type { DecoderProcess } from './webcodecs/client';
import type { FramesPlace } from './webcodecs/protocol';
import { RefusedVideoError } from './webcodecs/refused';

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

/** Cuts a decoded frame out, sizes it, and writes it as RGB from `offset` on. */
function frameWriter(info: VideoInfo, { size, crop }: FrameShape, target: Uint8Array) {
  const { width, height, colour } = info;
  const box = cropBox(crop, width, height, size);
  return (data: Uint8Array, offset: number) => {
    if (colour === undefined) {
      resizeBilinear(data, width, height, size, size, { box, target, targetOffset: offset });
    } else {
      const bytes = new Uint8ClampedArray(target.buffer, target.byteOffset + offset, size * size * 3);
      planesToRgb({ width, height, data }, colour, box, size, bytes);
    }
  };
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
 * @param target [indices.length, size, size, 3], filled. May be shared memory.
 * @throws VideoDecodeError when the file does not hold the frames that its header promises.
 */
async function decodeWithFfmpeg(
  runner: FfmpegRunner,
  info: VideoInfo,
  indices: readonly number[],
  shape: FrameShape,
  target: Uint8Array,
): Promise<void> {
  const frameBytes = shape.size * shape.size * 3;
  const [firstFrame, lastFrame] = [indices[0] as number, indices.at(-1) as number];
  // Without seeking, the frames in front are decoded and dropped.
  const begin = info.seekable ? firstFrame : 0;
  const select = selectFrames(indices.map((index) => index - begin));
  const { width, height, colour } = info;
  const decoded = new Uint8Array(colour === undefined ? width * height * 3 : planarFrameBytes(width, height));
  const writeFrame = frameWriter(info, shape, target);
  let filledBytes = 0;
  let received = 0;
  const { exitCode, log } = await runner.run({
    input: info,
    inputOptions: seekOptions(info, firstFrame),
    outputOptions: [
      ...['-map', '0:v:0', '-vf', `${select}${scale(info)},${colour === undefined ? TO_RGB : KEEP_PLANES}`],
      ...[...runner.passEveryFrame, '-frames:v', String(indices.length), '-f', 'rawvideo'],
    ],
    onOutput(bytes) {
      for (let from = 0; from < bytes.length && received < indices.length;) {
        const piece = bytes.subarray(from, from + decoded.length - filledBytes);
        decoded.set(piece, filledBytes);
        from += piece.length;
        filledBytes += piece.length;
        if (filledBytes < decoded.length) return;
        writeFrame(decoded, received++ * frameBytes);
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
    target.copyWithin(i * frameBytes, (received - 1) * frameBytes, received * frameBytes);
  }
}

/** What a decoder process needs to find frames. Throws a RefusedVideoError for a video that it was not the one to probe. */
export function framesPlace(info: VideoInfo, indices: readonly number[]): FramesPlace {
  const { path, part, width, height, timesSeconds, colour, container } = info;
  if (container === undefined || colour === undefined) throw new RefusedVideoError('it was probed by ffmpeg');
  const { startSeconds, rotation } = container;
  const times = Float64Array.from(indices, (index) => (timesSeconds[index] as number) + startSeconds);
  return { path, part, times, rotation, colour, width, height };
}

/** {@link decodeWithFfmpeg}, in a decoder process. Throws a RefusedVideoError where ffmpeg is to try. */
async function decodeWithWebcodecs(
  decoder: DecoderProcess,
  info: VideoInfo,
  indices: readonly number[],
  { size, crop }: FrameShape,
  target: Uint8Array,
): Promise<void> {
  const place = framesPlace(info, indices);
  const box = cropBox(crop, info.width, info.height, size);
  target.set(await decoder.ask({ kind: 'frames', ...place, box, size }));
}

/**
 * Decodes frames with the decoder that the file is for; clips that the WebCodecs decoder refuses are ffmpeg's.
 *
 * @param indices which ones, rising.
 * @param target [indices.length, size, size, 3], filled. May be shared memory.
 * @throws VideoDecodeError
 */
async function decodeVideoFrames(
  { webcodecs, ffmpeg }: Decoders,
  info: VideoInfo,
  indices: readonly number[],
  shape: FrameShape,
  target: Uint8Array,
): Promise<void> {
  if (info.container === undefined || webcodecs === undefined) {
    return decodeWithFfmpeg(ffmpeg, info, indices, shape, target);
  }
  try {
    await decodeWithWebcodecs(webcodecs, info, indices, shape, target);
  } catch (error) {
    if (!(error instanceof RefusedVideoError)) throw error;
    const probed = await probeVideo(ffmpeg, { path: info.path, part: info.part });
    if (probed.frameCount !== info.frameCount) {
      throw new VideoDecodeError(
        info.path,
        `${error.message}; ffmpeg counts ${probed.frameCount} frames in place of ${info.frameCount}`,
      );
    }
    await decodeWithFfmpeg(ffmpeg, probed, indices, shape, target);
  }
}

/**
 * Decodes the frames `begin` … `end − 1` of a video or folder.
 *
 * @param target [end − begin, size, size, 3], filled; a new array by default.
 * @throws VideoDecodeError
 */
export async function decodeRange(
  decoders: Decoders,
  info: VideoInfo,
  begin: number,
  end: number,
  shape: FrameShape,
  target: Uint8Array = new Uint8Array((end - begin) * shape.size * shape.size * 3),
): Promise<Uint8Array> {
  const indices = Array.from({ length: end - begin }, (_, i) => begin + i);
  if (info.kind === 'frames') await readFolderFrames(info.path, indices, shape.size, shape.crop, target);
  else await decodeVideoFrames(decoders, info, indices, shape, target);
  return target;
}

/**
 * Decodes the frames of one clip.
 *
 * @param indices never falling, in steps of any width.
 * @returns [indices.length, size, size, 3].
 * @throws VideoDecodeError
 */
export async function decodeClip(
  decoders: Decoders,
  info: VideoInfo,
  indices: readonly number[],
  shape: FrameShape,
): Promise<Uint8Array> {
  const frameBytes = shape.size * shape.size * 3;
  const target = new Uint8Array(indices.length * frameBytes);
  if (info.kind === 'frames') {
    await readFolderFrames(info.path, indices, shape.size, shape.crop, target);
    return target;
  }
  const distinct = [...new Set(indices)];
  await decodeVideoFrames(decoders, info, distinct, shape, target);
  // Repetitions are filled in from the end, where no frame still to be moved can be lost.
  for (let i = indices.length - 1, from = distinct.length - 1; i >= 0; i--) {
    while (distinct[from] !== indices[i]) from--;
    if (from !== i) target.copyWithin(i * frameBytes, from * frameBytes, (from + 1) * frameBytes);
  }
  return target;
}
