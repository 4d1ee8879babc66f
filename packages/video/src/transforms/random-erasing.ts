/**
 * Random erasing of one box in all frames, filled with noise.
 *
 * Source: Z. Zhong, L. Zheng, G. Kang, S. Li, Y. Yang, “Random erasing data augmentation”, AAAI 2020.
 */
import type { Box } from '../pixels/resize.js';
import { logUniform, uniformBetween, type RandomNumbers } from './random.js';

export interface RandomErasingOptions {
  /** How often a clip is erased; default 0.25. */
  probability?: number;
  /** Least and greatest area, as fractions of the frame's; default 0.02 to 1/3. */
  area?: readonly [number, number];
  /** Least and greatest height over width; default 0.3 to 1/0.3. */
  aspect?: readonly [number, number];
}

const TRIES = 100;

/**
 * Draws whether and where a clip is erased: area uniform, aspect uniform in the logarithm, place uniform; the box is
 * smaller than the frame both ways.
 *
 * @returns undefined for a clip that is left as it is, also when 100 boxes did not fit.
 * @throws RangeError for options out of range.
 */
export function drawErasedBox(
  width: number,
  height: number,
  random: RandomNumbers,
  { probability = 0.25, area = [0.02, 1 / 3], aspect = [0.3, 1 / 0.3] }: RandomErasingOptions = {},
): Box | undefined {
  if (!(probability >= 0 && probability <= 1)) {
    throw new RangeError(`probability is ${probability}: not within 0 and 1.`);
  }
  for (const [name, [low, high]] of Object.entries({ area, aspect })) {
    if (!(low > 0 && high >= low)) throw new RangeError(`${name} is [${low}, ${high}]: not a range above 0.`);
  }
  if (random.uniform() >= probability) return undefined;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const pixels = width * height * uniformBetween(...area, random);
    const ratio = logUniform(...aspect, random);
    const boxHeight = Math.round(Math.sqrt(pixels * ratio));
    const boxWidth = Math.round(Math.sqrt(pixels / ratio));
    if (boxWidth < 1 || boxHeight < 1 || boxWidth >= width || boxHeight >= height) continue;
    const y = random.integer(height - boxHeight + 1);
    const x = random.integer(width - boxWidth + 1);
    return { x, y, width: boxWidth, height: boxHeight };
  }
  return undefined;
}
