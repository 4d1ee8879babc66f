/** Operations on the tones of an image: Pillow's `ImageOps` and `ImageEnhance`, bit for bit. */
import { checkImage, type RgbImage } from './rgb-image.js';

const CHANNELS = [0, 1, 2] as const;
const LEVELS = 256;

/** The image with every value of channel c replaced by `tables[c]`'s entry for it. */
function lookUp(image: RgbImage, tables: readonly Uint8Array[]): RgbImage {
  const [red, green, blue] = tables as [Uint8Array, Uint8Array, Uint8Array];
  const source = image.pixels;
  const pixels = new Uint8Array(source.length);
  for (let i = 0; i < pixels.length; i += 3) {
    pixels[i] = red[source[i]!]!;
    pixels[i + 1] = green[source[i + 1]!]!;
    pixels[i + 2] = blue[source[i + 2]!]!;
  }
  return { ...image, pixels };
}

/** A table from a function, whose values are cut to 0 … 255 and truncated. */
function table(entry: (level: number) => number): Uint8Array {
  return Uint8Array.from({ length: LEVELS }, (_, level) =>
    Math.min(Math.max(Math.trunc(entry(level)), 0), 255),
  );
}

/** The image with every value replaced by what `entry` makes of it, cut to 0 … 255. */
export function lookUpAll(image: RgbImage, entry: (level: number) => number): RgbImage {
  checkImage(image);
  const same = table(entry);
  return lookUp(image, [same, same, same]);
}

/** How many pixels have each level, for one channel. */
function histogram({ pixels }: RgbImage, channel: number): number[] {
  const counts = new Array<number>(LEVELS).fill(0);
  for (let i = channel; i < pixels.length; i += 3) counts[pixels[i]!]!++;
  return counts;
}

/** Stretches each channel to the full range. A channel of one level stays. */
export function autoContrast(image: RgbImage): RgbImage {
  checkImage(image);
  const tables = CHANNELS.map((channel) => {
    const counts = histogram(image, channel);
    const lowest = counts.findIndex((count) => count > 0);
    const highest = counts.findLastIndex((count) => count > 0);
    if (highest <= lowest) return table((level) => level);
    const scale = 255 / (highest - lowest);
    const offset = -lowest * scale;
    return table((level) => level * scale + offset);
  });
  return lookUp(image, tables);
}

/** Equalises the histogram of each channel. A channel of one level, or of too few pixels, stays. */
export function equalize(image: RgbImage): RgbImage {
  checkImage(image);
  const tables = CHANNELS.map((channel) => {
    const counts = histogram(image, channel);
    const present = counts.filter((count) => count > 0);
    const total = image.width * image.height;
    const step = Math.floor((total - present.at(-1)!) / 255);
    if (present.length <= 1 || step === 0) return table((level) => level);
    let below = Math.floor(step / 2);
    return table((level) => {
      const value = Math.floor(below / step);
      below += counts[level]!;
      return value;
    });
  });
  return lookUp(image, tables);
}

/** Luma of the pixel at byte i (ITU-R 601), in Pillow's fixed point. */
function luma(pixels: Uint8Array, i: number): number {
  return (19595 * pixels[i]! + 38470 * pixels[i + 1]! + 7471 * pixels[i + 2]! + 0x8000) >> 16;
}

/** From one level at factor 0 to another at factor 1, and beyond, in single precision, as Pillow reckons. */
const blended = (from: number, to: number, weight: number) =>
  Math.fround(from + Math.fround(weight * (to - from)));

/** {@link blended} from `degenerate(i)` to the image, truncated. */
function blend(image: RgbImage, degenerate: (byte: number) => number, factor: number): RgbImage {
  const weight = Math.fround(factor);
  const pixels = new Uint8Array(image.pixels.length);
  for (let i = 0; i < pixels.length; i++) {
    const value = blended(degenerate(i), image.pixels[i]!, weight);
    pixels[i] = value <= 0 ? 0 : value >= 255 ? 255 : value;
  }
  return { ...image, pixels };
}

/** The same from one level throughout. */
function blendFrom(image: RgbImage, from: number, factor: number): RgbImage {
  const weight = Math.fround(factor);
  return lookUpAll(image, (level) => blended(from, level, weight));
}

/** Between grey (0) and the image (1), and beyond. */
export function colour(image: RgbImage, factor: number): RgbImage {
  checkImage(image);
  return blend(image, (i) => luma(image.pixels, i - (i % 3)), factor);
}

/** Between the mean grey (0) and the image (1), and beyond. */
export function contrast(image: RgbImage, factor: number): RgbImage {
  checkImage(image);
  let sum = 0;
  for (let i = 0; i < image.pixels.length; i += 3) sum += luma(image.pixels, i);
  const mean = Math.trunc(sum / (image.width * image.height) + 0.5);
  return blendFrom(image, mean, factor);
}

/** Between a smoothed image (0) and the image (1), and beyond. The outermost pixels stay. */
export function sharpness(image: RgbImage, factor: number): RgbImage {
  checkImage(image);
  const { pixels, width, height } = image;
  const rowBytes = 3 * width;
  const smooth = pixels.slice();
  for (let y = 1; y + 1 < height; y++) {
    for (let i = y * rowBytes + 3; i < (y + 1) * rowBytes - 3; i++) {
      // Weights 1 all around and 5 in the middle, over 13.
      const [above, below] = [i - rowBytes, i + rowBytes];
      const sum =
        pixels[above - 3]! +
        pixels[above]! +
        pixels[above + 3]! +
        pixels[i - 3]! +
        5 * pixels[i]! +
        pixels[i + 3]! +
        pixels[below - 3]! +
        pixels[below]! +
        pixels[below + 3]!;
      smooth[i] = Math.floor(sum / 13 + 0.5);
    }
  }
  return blend(image, (i) => smooth[i]!, factor);
}
