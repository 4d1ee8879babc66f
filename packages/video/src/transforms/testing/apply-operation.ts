/** RandAugment's operations on the processor, in double precision where Pillow has it: what kernels are held to. */
import { methodOf, type AugmentOperation } from '../rand-augment.js';
import { affine } from './affine.js';
import { checkImage, type RgbImage } from './rgb-image.js';
import { autoContrast, colour, contrast, equalize, lookUpAll, sharpness } from './tone.js';

/**
 * The image after one operation; the input is left alone.
 *
 * @throws RangeError where its argument is missing
 */
export function applyAugmentOperation(image: RgbImage, operation: AugmentOperation): RgbImage {
  checkImage(image);
  const { method, argument } = methodOf(operation);
  switch (method.kind) {
    case 'levels':
      return lookUpAll(image, (level) => method.level(level, argument));
    case 'map':
      return affine(image, method.matrix(argument, image.width, image.height));
    case 'autoContrast':
      return autoContrast(image);
    case 'equalize':
      return equalize(image);
    case 'contrast':
      return contrast(image, argument);
    case 'colour':
      return colour(image, argument);
    case 'sharpness':
      return sharpness(image, argument);
  }
}

/**
 * Applies the same operations to every frame of a clip.
 *
 * @param frames [T, height, width, 3].
 * @returns a new array of the same shape.
 */
export function randAugmentClip(
  frames: Uint8Array,
  width: number,
  height: number,
  operations: readonly AugmentOperation[],
): Uint8Array {
  const frameBytes = width * height * 3;
  const result = new Uint8Array(frames.length);
  for (let offset = 0; offset < frames.length; offset += frameBytes) {
    let image: RgbImage = { pixels: frames.subarray(offset, offset + frameBytes), width, height };
    checkImage(image);
    for (const operation of operations) image = applyAugmentOperation(image, operation);
    result.set(image.pixels, offset);
  }
  return result;
}
