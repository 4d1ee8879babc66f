/** A contact sheet: one row for each class, one column for each of a few times. */
import sharp, { type OverlayOptions } from 'sharp';
import { CLASSES } from './action-units.js';
import { makeClip } from './clip.js';
import { renderClip } from './render.js';

export interface SheetOptions {
  readonly seed: number;
  readonly variety: number;
  readonly hold: number;
  /** Edge of the frames in pixels. */
  readonly size: number;
  /** Frames of a clip. */
  readonly frames: number;
  /** How many of them are shown, evenly spaced. */
  readonly columns: number;
}

/** White between the frames, in pixels. */
const GAP = 2;

/**
 * Draws one clip of each class, each with another person. Surprise and fear are the same clip of the same person,
 * to be compared.
 *
 * @returns a PNG file
 */
export async function contactSheet({
  seed,
  variety,
  hold,
  size,
  frames,
  columns,
}: SheetOptions): Promise<Buffer> {
  const parts: OverlayOptions[] = [];
  for (const [row, expression] of CLASSES.entries()) {
    const subject = expression === 'fear' ? CLASSES.indexOf('surprise') : row;
    const clip = makeClip({ seed, subject, clip: subject, expression, variety, hold }, frames);
    const pixels = await renderClip(clip, size);
    for (let column = 0; column < columns; column++) {
      const frame = Math.round(((frames - 1) * column) / (columns - 1));
      const input = pixels.subarray(frame * size * size * 3, (frame + 1) * size * size * 3);
      parts.push({
        ...{ input: Buffer.from(input), raw: { width: size, height: size, channels: 3 } },
        ...{ left: column * (size + GAP), top: row * (size + GAP) },
      });
    }
  }
  const width = columns * (size + GAP) - GAP;
  const height = CLASSES.length * (size + GAP) - GAP;
  const sheet = sharp({ create: { width, height, channels: 3, background: '#ffffff' } }).composite(parts);
  return sheet.png({ palette: true, colours: 256, dither: 0.3, effort: 10 }).toBuffer();
}
