import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
// Test code of a neighbour, which is no part of what its package offers.
import { encodeVideo, H264_HEADER_FIRST } from '../../../../packages/video/src/testing/videos.js';

const WIDTH = 48;
const HEIGHT = 32;
const FRAMES = 10;

/**
 * Frames [T, height, width, 3] of ramps as wide as a cube that wander slowly; their steepness follows from
 * `kind`. Cubes look much alike, so that a tiny model learns them in a few dozen steps.
 */
function ramps(kind: number): Uint8Array {
  const pixels = new Uint8Array(FRAMES * HEIGHT * WIDTH * 3);
  let at = 0;
  for (let t = 0; t < FRAMES; t++) {
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) {
        const ramp = (x + y + Math.floor(t / 2)) % 16;
        for (let channel = 0; channel < 3; channel++) {
          pixels[at++] = 40 + 10 * kind + (4 + 2 * kind) * ramp + 5 * channel;
        }
      }
    }
  }
  return pixels;
}

export interface DataSet {
  readonly folder: string;
  readonly textFile: string;
  readonly truncated: string;
  readonly notes: string;
}

/** Writes three good videos, a text named like a video, a video cut short, and a file of another kind. */
export async function writeDataSet(folder: string): Promise<DataSet> {
  mkdirSync(folder, { recursive: true });
  const video = (kind: number) => join(folder, `good-${kind}.mp4`);
  for (const kind of [1, 2, 3]) {
    const encode = { width: WIDTH, height: HEIGHT, options: H264_HEADER_FIRST };
    await encodeVideo(video(kind), ramps(kind), encode);
  }
  const [textFile, truncated, notes] = ['a-text.mp4', 'cut-short.mp4', 'notes.md'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  writeFileSync(textFile, 'This is not a video.\n');
  const whole = readFileSync(video(1));
  writeFileSync(truncated, whole.subarray(0, Math.floor(0.6 * whole.length)));
  writeFileSync(notes, '# Where the videos are from\n');
  return { folder, textFile, truncated, notes };
}
