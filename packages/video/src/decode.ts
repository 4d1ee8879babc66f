/**
 * Decoding to square RGB frames. Folders of frames are resized as Pillow does it, to the bit (`resizeBilinear`);
 * videos by ffmpeg's bilinear scaler, whose triangle widens likewise where it shrinks, but which works on YUV planes:
 * values come out about 2 of 255 levels away from Pillow's on frames full of texture, 10 at most.
 */
import { cropBox, type CropMode } from './crop';
import { VideoDecodeError } from './errors';
import { readFolderFrames } from './frame-folder';
import { complaints } from './ffmpeg-output';
import type { VideoInfo } from './probe';
import type { FfmpegRunner } from './runner';

/** How frames are cut and sized. */
export interface FrameShape {
  /** Edge of the square frames, in pixels. */
  size: number;
  crop: CropMode;
}

/** Rounding in the conversion must not depend on the processor, or a run would not repeat elsewhere. */
const SCALER = 'flags=bilinear+accurate_rnd+full_chroma_int+bitexact';

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

function cropAndScale(info: VideoInfo, { size, crop }: FrameShape): string {
  const box = cropBox(crop, info.width, info.height, size);
  const cut = `crop=${box.width}:${box.height}:${box.x}:${box.y}:exact=1`;
  return `${cut},scale=${size}:${size}:${SCALER},format=rgb24`;
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
async function decodeVideoFrames(
  runner: FfmpegRunner,
  info: VideoInfo,
  indices: readonly number[],
  shape: FrameShape,
  target: Uint8Array,
): Promise<void> {
  const frameBytes = shape.size * shape.size * 3;
  const neededBytes = indices.length * frameBytes;
  const [firstFrame, lastFrame] = [indices[0] as number, indices.at(-1) as number];
  // Without seeking, the frames in front are decoded and dropped.
  const begin = info.seekable ? firstFrame : 0;
  const select = selectFrames(indices.map((index) => index - begin));
  let receivedBytes = 0;
  const { exitCode, log } = await runner.run({
    inputPath: info.path,
    inputOptions: seekOptions(info, firstFrame),
    outputOptions: [
      ...['-map', '0:v:0', '-vf', `${select}${cropAndScale(info, shape)}`],
      ...[...runner.passEveryFrame, '-frames:v', String(indices.length), '-f', 'rawvideo'],
    ],
    onOutput(bytes) {
      const room = neededBytes - receivedBytes;
      target.set(bytes.length > room ? bytes.subarray(0, room) : bytes, receivedBytes);
      receivedBytes += Math.min(bytes.length, room);
    },
  });
  const received = Math.floor(receivedBytes / frameBytes);
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

/**
 * Decodes the frames `begin` … `end − 1` of a video or folder.
 *
 * @param target [end − begin, size, size, 3], filled; a new array by default.
 * @throws VideoDecodeError
 */
export async function decodeRange(
  runner: FfmpegRunner,
  info: VideoInfo,
  begin: number,
  end: number,
  shape: FrameShape,
  target: Uint8Array = new Uint8Array((end - begin) * shape.size * shape.size * 3),
): Promise<Uint8Array> {
  const indices = Array.from({ length: end - begin }, (_, i) => begin + i);
  if (info.kind === 'frames') await readFolderFrames(info.path, indices, shape.size, shape.crop, target);
  else await decodeVideoFrames(runner, info, indices, shape, target);
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
  runner: FfmpegRunner,
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
  await decodeVideoFrames(runner, info, distinct, shape, target);
  // Repetitions are filled in from the end, where no frame still to be moved can be lost.
  for (let i = indices.length - 1, from = distinct.length - 1; i >= 0; i--) {
    while (distinct[from] !== indices[i]) from--;
    if (from !== i) target.copyWithin(i * frameBytes, from * frameBytes, (from + 1) * frameBytes);
  }
  return target;
}
