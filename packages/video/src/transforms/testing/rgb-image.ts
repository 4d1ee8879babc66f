import type { RgbImage } from '../../pixels/image-passes.js';

export type { RgbImage };

/** @throws RangeError unless the pixels are as many as the size says */
export function checkImage({ pixels, width, height }: RgbImage): void {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new RangeError(`an image of ${width}×${height} pixels: give positive integers.`);
  }
  if (pixels.length !== width * height * 3) {
    throw new RangeError(
      `an image of ${width}×${height} pixels has ${width * height * 3} bytes, not ${pixels.length}.`,
    );
  }
}
