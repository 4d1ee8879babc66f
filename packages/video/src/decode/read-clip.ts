/** One clip of one video. */
import type { CropMode } from '../pixels/crop.js';
import { VideoDecodeError } from '../errors.js';
import type { Ffmpeg } from '../ffmpeg/ffmpeg.js';
import { framesWithin } from './frame-range.js';
import type { CodedFrames } from '../pixels/coded-frames.js';
import { DecoderPool } from '../loader/pool.js';
import type { VideoInfo } from './video-info.js';
import { clipFrameIndices } from '../sampling/sampling.js';

export interface ReadClipOptions {
  /** Edge of the frames in pixels; default 160. */
  size?: number;
  /** Frames of the clip; default 16. */
  frames?: number;
  /** Distance between two of them in frames of the video; default 4. */
  step?: number;
  /** Default `centre`. */
  crop?: CropMode;
  /** The clip begins with the first frame shown at this time or later; default 0. */
  startSeconds?: number;
  ffmpeg?: Ffmpeg;
}

export interface ReadClipResult {
  /** For `ClipPixels.frames`. */
  frames: CodedFrames;
  /** The frames of the clip in the video. */
  indices: number[];
  info: VideoInfo;
}

/**
 * Reads one clip of a video or a folder of frames, without augmentation, in a thread of its own.
 *
 * @throws VideoDecodeError when it cannot be decoded or ends before `startSeconds`; FfmpegNotFoundError.
 */
export async function readClip(path: string, options: ReadClipOptions = {}): Promise<ReadClipResult> {
  const { size = 160, frames = 16, step = 4, crop = 'centre', startSeconds = 0, ffmpeg } = options;
  const pool = await DecoderPool.open({ workers: 1, ffmpeg });
  try {
    const info = await pool.probe(path);
    const { begin } = framesWithin(info, { startSeconds });
    if (begin === info.frameCount) {
      const length = info.durationSeconds.toFixed(2);
      throw new VideoDecodeError(path, `it lasts ${length} s, so no clip can start at ${startSeconds} s`);
    }
    const indices = clipFrameIndices(info.frameCount, begin, { frames, step });
    return { frames: await pool.readClip(info, indices, { size, crop }), indices, info };
  } finally {
    await pool.close();
  }
}
