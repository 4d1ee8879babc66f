import type { FrameShape } from '../decode/decode.js';
import type { CodedFrames } from '../pixels/coded-frames.js';
import { toRgb } from '../pixels/to-rgb.js';
import type { DecoderPool } from '../loader/pool.js';
import { resizeBilinear, type Box } from '../pixels/resize.js';
import type { VideoInfo } from '../decode/video-info.js';

/**
 * Cuts the same box out of all frames and brings it back to the frames' size.
 *
 * @param frames [T, size, size, 3].
 * @returns a new array of the same shape.
 */
export function cropClip(frames: Uint8Array, size: number, box: Box): Uint8Array {
  const frameBytes = size * size * 3;
  const target = new Uint8Array(frames.length);
  for (let offset = 0; offset < frames.length; offset += frameBytes) {
    const frame = frames.subarray(offset, offset + frameBytes);
    resizeBilinear(frame, size, size, size, size, { box, target, targetOffset: offset });
  }
  return target;
}

/** Square RGB frames of clips one behind the other, [B, T, size, size, 3]. */
export function rgbOfClips(
  clips: readonly CodedFrames[],
  size: number,
  boxes: readonly (Box | undefined)[] = [],
): Buffer {
  return Buffer.concat(
    clips.map((clip, i) => {
      const rgb = toRgb(clip, size);
      const box = boxes[i];
      return box === undefined || (box.width === size && box.height === size)
        ? rgb
        : cropClip(rgb, size, box);
    }),
  );
}

/** As `readRange` and `readClip` of a pool, but square RGB frames. */
export function rgbReader(pool: DecoderPool) {
  return {
    range: async (info: VideoInfo, shape: FrameShape, begin?: number, end?: number) =>
      toRgb(await pool.readRange(info, shape, begin, end), shape.size),
    clip: async (info: VideoInfo, indices: number[], shape: FrameShape) =>
      toRgb(await pool.readClip(info, indices, shape), shape.size),
  };
}
