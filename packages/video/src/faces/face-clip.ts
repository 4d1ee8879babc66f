import type { DecoderPool } from '../loader/pool.js';
import { requireRgbRoom, type RgbClip } from '../shards/encode-clip.js';
import type { VideoInfo } from '../decode/video-info.js';
import type { FaceDetector } from './face.js';
import { cutFaces, findMainPerson } from './find-people.js';

/**
 * The aligned face of the main person of a video. Frames without that person are left out, and those after them follow
 * at the video's rate.
 *
 * @throws VideoDecodeError, also where no face is found
 */
export async function faceClip(
  pool: DecoderPool,
  info: VideoInfo,
  detector: FaceDetector,
  size: number,
): Promise<RgbClip> {
  const { track } = await findMainPerson(pool, info, detector);
  const count = track.frames.length;
  requireRgbRoom(info, count, size);
  const rgb = new Uint8Array(count * size * size * 3);
  let end = 0;
  for await (const { pixels } of cutFaces(pool, info, [track], size)) {
    rgb.set(pixels, end);
    end += pixels.length;
  }
  return { rgb, timesSeconds: Float64Array.from({ length: count }, (_, i) => i / info.framesPerSecond) };
}
