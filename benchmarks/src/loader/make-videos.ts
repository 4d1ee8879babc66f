import { encodeVideo, type Ffmpeg } from '@tubelet/video';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';

/** The videos that are loaded: like those of VoxCeleb2, with one key frame, so that a clip costs much decoding. */
export const VIDEO = { width: 224, height: 224, frames: 200, framesPerSecond: 25, keyFrameInterval: 250 };

/** Frames [T, height, width, 3] of soft shapes that move. */
function movingFrames(): Uint8Array {
  const { width, height, frames } = VIDEO;
  const pixels = new Uint8Array(frames * height * width * 3);
  for (let t = 0, i = 0; t < frames; t++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        pixels[i++] = 128 + 60 * Math.sin((x + 3 * t) / 17) + 50 * Math.cos((y - t) / 9);
        pixels[i++] = 128 + 80 * Math.sin((x + y + 2 * t) / 23);
        pixels[i++] = 128 + 80 * Math.cos((y - x + t) / 29);
      }
    }
  }
  return pixels;
}

/** Writes one video (H.264) and copies of it, and gives their paths. */
export async function makeVideos(folder: string, count: number, ffmpeg: Ffmpeg): Promise<string[]> {
  const paths = Array.from({ length: count }, (_, i) => join(folder, `${i}.mp4`));
  const [first, ...copies] = paths as [string, ...string[]];
  await encodeVideo(first, movingFrames(), { ...VIDEO, ffmpeg });
  for (const copy of copies) copyFileSync(first, copy);
  return paths;
}
