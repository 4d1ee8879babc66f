import { encodeVideo, type Ffmpeg } from '@tubelet/video';
import { copyFileSync, cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

/** The videos that are loaded: like those of VoxCeleb2, with one key frame, so that a clip costs much decoding. */
export const VIDEO = { width: 224, height: 224, frames: 200, framesPerSecond: 25, keyFrameInterval: 250 };

/** The folders of frames that fine-tuning loads: like those of DFEW. */
export const FOLDER = { width: 256, height: 256, frames: 64, quality: 95 };

/** Frames [T, height, width, 3] of soft shapes that move. */
function movingFrames({ width, height, frames }: typeof VIDEO | typeof FOLDER): Uint8Array {
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

/** Writes one video (H.264), by default like `VIDEO`, and copies of it, and gives their paths. */
export async function makeVideos(
  folder: string,
  count: number,
  ffmpeg: Ffmpeg,
  video = VIDEO,
): Promise<string[]> {
  const paths = Array.from({ length: count }, (_, i) => join(folder, `${i}.mp4`));
  const [first, ...copies] = paths as [string, ...string[]];
  await encodeVideo(first, movingFrames(video), { ...video, ffmpeg });
  for (const copy of copies) copyFileSync(first, copy);
  return paths;
}

/** Writes one folder of jpg frames and copies of it. */
export async function makeFolders(folder: string, count: number): Promise<void> {
  const paths = Array.from({ length: count }, (_, i) => join(folder, `frames ${i}`));
  const [first, ...copies] = paths as [string, ...string[]];
  mkdirSync(first);
  const { width, height, frames, quality } = FOLDER;
  const pixels = movingFrames(FOLDER);
  const frameBytes = 3 * width * height;
  for (let frame = 0; frame < frames; frame++) {
    await sharp(pixels.subarray(frame * frameBytes, (frame + 1) * frameBytes), {
      raw: { width, height, channels: 3 },
    })
      .jpeg({ quality })
      .toFile(join(first, `${String(frame).padStart(3, '0')}.jpg`));
  }
  for (const copy of copies) cpSync(first, copy, { recursive: true });
}
