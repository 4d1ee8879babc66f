/** A labelled data set of frame folders: a dot that moves to the left, to the right, or stays. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

const SIZE = 32;
const FRAMES = 8;
export const DOT_CLASSES = ['left', 'right', 'still'] as const;

function frame(time: number, kind: number, subject: number): Uint8Array {
  const pixels = new Uint8Array(SIZE * SIZE * 3).fill(40 + 8 * subject);
  const span = SIZE - 8;
  const along = [1 - time, time, 0.5][kind]! * span;
  const top = 4 + ((subject * 5) % (SIZE - 12));
  for (let y = top; y < top + 8; y++) {
    for (let x = Math.round(along); x < along + 8; x++) pixels.set([230, 200, 60], (y * SIZE + x) * 3);
  }
  return pixels;
}

/** Writes a video as a folder of png frames. */
export async function writeDotVideo(
  folder: string,
  kind: number,
  subject: number,
  frames = FRAMES,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let t = 0; t < frames; t++) {
    const image = sharp(frame(frames === 1 ? 0.5 : t / (frames - 1), kind, subject), {
      raw: { width: SIZE, height: SIZE, channels: 3 },
    });
    await image.png().toFile(join(folder, `${String(t).padStart(3, '0')}.png`));
  }
}

export interface DotDataOptions {
  readonly subjects?: number;
  readonly folds?: number;
  /** Lines to add to the list. */
  readonly extraLines?: readonly string[];
}

/**
 * Writes the data set: each subject with one video of each class, subjects dealt out to the folds in turn.
 *
 * @returns the CSV file
 */
export async function writeDotData(
  folder: string,
  { subjects = 6, folds = 2, extraLines = [] }: DotDataOptions = {},
): Promise<string> {
  const lines = ['path,label,fold,subject'];
  for (let subject = 0; subject < subjects; subject++) {
    for (const [kind, name] of DOT_CLASSES.entries()) {
      const path = `clips/${name}-${subject}`;
      await writeDotVideo(join(folder, path), kind, subject);
      lines.push(`${path},${name},${1 + (subject % folds)},person-${subject}`);
    }
  }
  await writeFile(join(folder, 'classes.txt'), `${DOT_CLASSES.join('\n')}\n`);
  const file = join(folder, 'dots.csv');
  await writeFile(file, `${[...lines, ...extraLines].join('\n')}\n`);
  return file;
}
