/** Clips of floating-point planes, [3, T, height, width]: what a model takes, and what crop, flip and erasing act on. */
import type { Box } from '../../pixels/resize.js';

export interface ClipPlanes {
  /** [3, T, height, width], row-major. */
  readonly values: Float32Array;
  readonly frames: number;
  readonly width: number;
  readonly height: number;
}

/** Mean and deviation of ImageNet's pixels, for values from 0 to 1 in the order red, green, blue. */
export const IMAGENET_MEAN = [0.485, 0.456, 0.406] as const;
export const IMAGENET_DEVIATION = [0.229, 0.224, 0.225] as const;

const { fround } = Math;

/** Normalised values of the 256 levels of each channel, reckoned step by step in single precision. */
const NORMALISED = IMAGENET_MEAN.map((mean, channel) =>
  Float32Array.from({ length: 256 }, (_, level) => {
    const shifted = fround(fround(level / 255) - fround(mean));
    return shifted / fround(IMAGENET_DEVIATION[channel]!);
  }),
);

/**
 * (value / 255 − mean) / deviation, with ImageNet's figures.
 *
 * @param frames [T, height, width, 3], 8-bit RGB.
 * @throws RangeError unless the frames are of that size.
 */
export function normaliseClip(frames: Uint8Array, width: number, height: number): ClipPlanes {
  const framePixels = width * height;
  const count = frames.length / (3 * framePixels);
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(`${frames.length} bytes are not frames of ${width}×${height} RGB pixels.`);
  }
  const planePixels = count * framePixels;
  const values = new Float32Array(3 * planePixels);
  const [red, green, blue] = NORMALISED as [Float32Array, Float32Array, Float32Array];
  for (let pixel = 0, from = 0; pixel < planePixels; pixel++, from += 3) {
    values[pixel] = red[frames[from]!]!;
    values[planePixels + pixel] = green[frames[from + 1]!]!;
    values[2 * planePixels + pixel] = blue[frames[from + 2]!]!;
  }
  return { values, frames: count, width, height };
}

/** @throws RangeError unless the values are as many as the sizes say */
export function checkPlanes({ values, frames, width, height }: ClipPlanes): void {
  if (values.length !== 3 * frames * width * height || values.length === 0) {
    throw new RangeError(
      `a clip [3, ${frames}, ${height}, ${width}] has ${3 * frames * width * height} values, not ${values.length}.`,
    );
  }
}

/** @throws RangeError unless the box has pixels and lies in the clip */
export function checkBox({ x, y, width, height }: Box, clip: ClipPlanes): void {
  const whole = [x, y, width, height].every(Number.isInteger);
  const inside = x >= 0 && y >= 0 && x + width <= clip.width && y + height <= clip.height;
  if (!whole || !inside || width < 1 || height < 1) {
    throw new RangeError(
      `a box of ${width}×${height} pixels at (${x}, ${y}) does not lie in frames of ${clip.width}×${clip.height}.`,
    );
  }
}
