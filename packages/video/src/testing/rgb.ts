import { cropClip } from '../crop';
import type { FrameShape } from '../decode';
import type { CodedFrames } from '../pixels/coded-frames';
import { toRgb } from '../pixels/to-rgb';
import type { DecoderPool } from '../pool';
import type { Box } from '../resize';
import type { VideoInfo } from '../video-info';

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
