/** Random resized crop: a box of random area and aspect, the same for all frames, brought to the frames' full size. */
import type { Box } from '../pixels/resize.js';
import { logUniform, uniformBetween, type RandomNumbers } from './random.js';

export interface RandomCropOptions {
  /** Least and greatest area, as fractions of the frame's; default 0.08 to 1. */
  area?: readonly [number, number];
  /** Least and greatest width over height; default 3/4 to 4/3. */
  aspect?: readonly [number, number];
}

const TRIES = 10;

/** The largest box in the middle whose aspect is allowed. */
function middleBox(width: number, height: number, [low, high]: readonly [number, number]): Box {
  const aspect = width / height;
  const size =
    aspect < low
      ? { width, height: Math.round(width / low) }
      : aspect > high
        ? { width: Math.round(height * high), height }
        : { width, height };
  return {
    x: Math.floor((width - size.width) / 2),
    y: Math.floor((height - size.height) / 2),
    ...size,
  };
}

/**
 * Draws a box: its area uniform, its aspect uniform in the logarithm, its place uniform. After ten boxes that do not
 * fit, it is the largest one in the middle.
 *
 * @throws RangeError for a range that is none.
 */
export function drawRandomCrop(
  width: number,
  height: number,
  random: RandomNumbers,
  { area = [0.08, 1], aspect = [3 / 4, 4 / 3] }: RandomCropOptions = {},
): Box {
  for (const [name, [low, high]] of Object.entries({ area, aspect })) {
    if (!(low > 0 && high >= low)) throw new RangeError(`${name} is [${low}, ${high}]: not a range above 0.`);
  }
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const pixels = width * height * uniformBetween(...area, random);
    const ratio = logUniform(...aspect, random);
    const boxWidth = Math.round(Math.sqrt(pixels * ratio));
    const boxHeight = Math.round(Math.sqrt(pixels / ratio));
    if (boxWidth < 1 || boxHeight < 1 || boxWidth > width || boxHeight > height) continue;
    const y = random.integer(height - boxHeight + 1);
    const x = random.integer(width - boxWidth + 1);
    return { x, y, width: boxWidth, height: boxHeight };
  }
  return middleBox(width, height, aspect);
}
