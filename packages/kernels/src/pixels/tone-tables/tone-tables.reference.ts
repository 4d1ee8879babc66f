import { blended, lumaOf } from '../tone/tone.reference.js';

const cut = (value: number) => Math.min(Math.max(Math.trunc(value), 0), 255);

/** The levels that those of a frame become: [3][256]. */
export function toneTablesReference(
  frame: ArrayLike<number>,
  kind: 'autoContrast' | 'equalize' | 'contrast',
  factor: number,
): number[][] {
  const pixels = Array.from(frame);
  const levels = Array.from({ length: 256 }, (_, level) => level);
  return [0, 1, 2].map((channel) => {
    const counts = new Array<number>(256).fill(0);
    for (const pixel of pixels) counts[Math.floor(pixel / 2 ** (8 * channel)) & 255]!++;
    const lowest = counts.findIndex((count) => count > 0);
    const highest = counts.findLastIndex((count) => count > 0);
    if (kind === 'contrast') {
      const mean = Math.trunc(pixels.reduce((sum, pixel) => sum + lumaOf(pixel), 0) / pixels.length + 0.5);
      return levels.map((level) => blended(mean, level, factor));
    }
    if (kind === 'autoContrast') {
      const scale = 255 / (highest - lowest);
      // Levels that the frame does not have go where those at its ends go.
      const within = (level: number) => Math.min(Math.max(level, lowest), highest);
      return levels.map((level) =>
        lowest === highest ? level : cut(within(level) * scale + -lowest * scale),
      );
    }
    const step = Math.floor((pixels.length - counts[highest]!) / 255);
    if (step === 0) return levels;
    let below = Math.floor(step / 2);
    return levels.map((level) => {
      const value = cut(Math.floor(below / step));
      below += counts[level]!;
      return value;
    });
  });
}
