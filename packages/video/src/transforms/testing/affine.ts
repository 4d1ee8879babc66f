/**
 * Geometric operations: Pillow's affine transform with bicubic interpolation, bit for bit.
 *
 * Pillow's bicubic filter is the cubic convolution with a = −1 (R. G. Keys, “Cubic convolution interpolation for
 * digital image processing”, IEEE TASSP 29, 1981), in double precision, truncated to 8 bits.
 */
import type { AffineMatrix } from '../affine-maps.js';
import { checkImage, type RgbImage } from './rgb-image.js';

/** What is seen where the source has no pixel, in every channel. */
const FILL = 128;

function cubic(v1: number, v2: number, v3: number, v4: number, d: number): number {
  const p2 = -v1 + v3;
  const p3 = 2 * (v1 - v2) + v3 - v4;
  const p4 = -v1 + v2 - v3 + v4;
  return v2 + d * (p2 + d * (p3 + d * p4));
}

/** The cubic along a row of the image, of one channel. */
function across(
  pixels: Uint8Array,
  row: number,
  one: number,
  two: number,
  three: number,
  four: number,
  fraction: number,
): number {
  const second = pixels[row + two]!;
  if (fraction === 0) return second;
  return cubic(pixels[row + one]!, second, pixels[row + three]!, pixels[row + four]!, fraction);
}

const clamp = (index: number, length: number) => Math.min(Math.max(index, 0), length - 1);

/**
 * The image seen through an affine map of pixel centres. Within the image, columns beyond its edge repeat the edge
 * and rows beyond it repeat the row before; outside it is {@link FILL}.
 *
 * The cubic at 0 is its second value, exactly: where only one axis is moved (shears and translations), the other is
 * not interpolated, which is three times as fast and the same to the bit.
 */
export function affine(image: RgbImage, matrix: AffineMatrix): RgbImage {
  checkImage(image);
  const { pixels, width, height } = image;
  const [a, b, c, d, e, f] = matrix;
  const result = new Uint8Array(pixels.length).fill(FILL);
  const rowBytes = 3 * width;
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const sourceX = a * (x + 0.5) + b * (y + 0.5) + c;
      const sourceY = d * (x + 0.5) + e * (y + 0.5) + f;
      if (!(sourceX >= 0 && sourceX < width && sourceY >= 0 && sourceY < height)) continue;
      const left = Math.floor(sourceX - 0.5);
      const top = Math.floor(sourceY - 0.5);
      const fractionX = sourceX - 0.5 - left;
      const fractionY = sourceY - 0.5 - top;
      const column1 = 3 * clamp(left - 1, width);
      const column2 = 3 * clamp(left, width);
      const column3 = 3 * clamp(left + 1, width);
      const column4 = 3 * clamp(left + 2, width);
      // The first row is clamped; a later one that does not exist repeats the one before.
      const row1 = rowBytes * clamp(top - 1, height);
      const row2 = top >= 0 ? rowBytes * top : row1;
      const row3 = top + 1 < height ? rowBytes * (top + 1) : row2;
      const row4 = top + 2 < height ? rowBytes * (top + 2) : row3;
      for (let channel = 0; channel < 3; channel++) {
        const [one, two, three, four] = [
          column1 + channel,
          column2 + channel,
          column3 + channel,
          column4 + channel,
        ];
        let value = across(pixels, row2, one, two, three, four, fractionX);
        if (fractionY !== 0) {
          const above = across(pixels, row1, one, two, three, four, fractionX);
          const below = across(pixels, row3, one, two, three, four, fractionX);
          const lowest = across(pixels, row4, one, two, three, four, fractionX);
          value = cubic(above, value, below, lowest, fractionY);
        }
        result[to + channel] = value <= 0 ? 0 : value >= 255 ? 255 : value;
      }
    }
  }
  return { pixels: result, width, height };
}
