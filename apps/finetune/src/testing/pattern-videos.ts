/** Small videos that a classifier tells apart. */
import { encodeVideo } from '@tubelet/video';

const SIZE = 32;

/** Frames [T, 32, 32, 3] of stripes that move; `kind` decides their colours and their pace. */
function stripes(kind: number, frameCount: number): Uint8Array {
  const pixels = new Uint8Array(frameCount * SIZE * SIZE * 3);
  for (let t = 0, at = 0; t < frameCount; t++) {
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        const phase = (x * (1 + (kind % 3)) + y + t * (1 + kind)) % 16;
        for (let channel = 0; channel < 3; channel++)
          pixels[at++] = 16 + ((phase * 14 + kind * 53 * (channel + 1)) % 224);
      }
    }
  }
  return pixels;
}

/** Writes an mp4 file of 25 frames a second. */
export function writePatternVideo(path: string, kind: number, frameCount: number): Promise<void> {
  const frames = stripes(kind, frameCount);
  return encodeVideo(path, frames, { width: SIZE, height: SIZE, framesPerSecond: 25 });
}
