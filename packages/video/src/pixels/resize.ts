/**
 * Bilinear resizing of 8-bit images, bit for bit as Pillow does it: a separable triangle filter that widens when
 * it shrinks an image, in fixed point, horizontal pass first, with an 8-bit image in between.
 */
import { triangleFilter, type Filter } from './triangle-filter.js';

/** A rectangle of whole pixels; `x`, `y` is its top left corner. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const PRECISION_BITS = 22;
const ONE_HALF = 1 << (PRECISION_BITS - 1);

/** A triangle filter whose weights are whole, in units of 2^-22. */
interface FixedPointFilter extends Omit<Filter, 'weights'> {
  weights: Int32Array;
}

const fixedPointFilters = new WeakMap<Filter, FixedPointFilter>();

function filterFor(length: number, outputLength: number): FixedPointFilter {
  const exact = triangleFilter({ length, start: 0, span: length, outputLength });
  let filter = fixedPointFilters.get(exact);
  if (filter === undefined) {
    // The weights are never negative: adding one half and cutting rounds half away from zero.
    const weights = Int32Array.from(exact.weights, (weight) =>
      Math.trunc(0.5 + weight * (1 << PRECISION_BITS)),
    );
    filter = { ...exact, weights };
    fixedPointFilters.set(exact, filter);
  }
  return filter;
}

/**
 * Sums over one axis. Both images are seen as [lines, length, run]: `run` neighbouring bytes share a position on
 * the axis (the channels for the horizontal pass, a whole row for the vertical one).
 */
function resample(
  source: Uint8Array,
  sourceOffset: number,
  sourceLineBytes: number,
  target: Uint8Array,
  targetOffset: number,
  lines: number,
  run: number,
  filter: FixedPointFilter,
): void {
  const { first, count, weights, maximumCount } = filter;
  const outputLength = first.length;
  const sums = new Int32Array(run);
  for (let line = 0; line < lines; line++) {
    const sourceLine = sourceOffset + line * sourceLineBytes;
    for (let x = 0; x < outputLength; x++) {
      sums.fill(ONE_HALF);
      const inputs = count[x] as number;
      let from = sourceLine + (first[x] as number) * run;
      for (let k = 0; k < inputs; k++, from += run) {
        const weight = weights[x * maximumCount + k] as number;
        for (let c = 0; c < run; c++) {
          sums[c] = (sums[c] as number) + (source[from + c] as number) * weight;
        }
      }
      const to = targetOffset + (line * outputLength + x) * run;
      for (let c = 0; c < run; c++) {
        const value = (sums[c] as number) >> PRECISION_BITS;
        target[to + c] = value > 255 ? 255 : value;
      }
    }
  }
}

/** The horizontal pass of RGB images, the shape that nearly all calls have, without an inner loop over channels. */
function resampleRgbRows(
  source: Uint8Array,
  sourceOffset: number,
  sourceLineBytes: number,
  target: Uint8Array,
  targetOffset: number,
  lines: number,
  filter: FixedPointFilter,
): void {
  const { first, count, weights, maximumCount } = filter;
  const outputLength = first.length;
  let to = targetOffset;
  for (let line = 0; line < lines; line++) {
    const sourceLine = sourceOffset + line * sourceLineBytes;
    for (let x = 0; x < outputLength; x++) {
      const inputs = count[x] as number;
      let from = sourceLine + (first[x] as number) * 3;
      let weightAt = x * maximumCount;
      let red = ONE_HALF;
      let green = ONE_HALF;
      let blue = ONE_HALF;
      for (let k = 0; k < inputs; k++) {
        const weight = weights[weightAt++] as number;
        red += (source[from++] as number) * weight;
        green += (source[from++] as number) * weight;
        blue += (source[from++] as number) * weight;
      }
      red >>= PRECISION_BITS;
      green >>= PRECISION_BITS;
      blue >>= PRECISION_BITS;
      target[to++] = red > 255 ? 255 : red;
      target[to++] = green > 255 ? 255 : green;
      target[to++] = blue > 255 ? 255 : blue;
    }
  }
}

function copyRows(
  source: Uint8Array,
  sourceOffset: number,
  sourceLineBytes: number,
  target: Uint8Array,
  targetOffset: number,
  lines: number,
  rowBytes: number,
): void {
  for (let y = 0; y < lines; y++) {
    const from = sourceOffset + y * sourceLineBytes;
    target.set(source.subarray(from, from + rowBytes), targetOffset + y * rowBytes);
  }
}

export interface ResizeOptions {
  /** Interleaved channels, 3 by default. */
  channels?: number;
  /** The part of the source to use, cut out before resizing; the whole by default. */
  box?: Box;
  /** Where to write, and from which byte on; a new array by default. */
  target?: Uint8Array;
  targetOffset?: number;
}

/**
 * Resizes an interleaved 8-bit image.
 *
 * @param source [height, width, channels].
 * @returns [outputHeight, outputWidth, channels], in `target` if given.
 * @throws RangeError for sizes that are not positive integers, a box outside the image, or arrays too short.
 */
export function resizeBilinear(
  source: Uint8Array,
  width: number,
  height: number,
  outputWidth: number,
  outputHeight: number,
  options: ResizeOptions = {},
): Uint8Array {
  const { channels = 3, box = { x: 0, y: 0, width, height }, targetOffset = 0 } = options;
  for (const [name, value] of Object.entries({ width, height, outputWidth, outputHeight, channels })) {
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`${name} is ${value}: not a positive integer.`);
  }
  if (source.length < width * height * channels) {
    throw new RangeError(`source has ${source.length} bytes, fewer than ${width}×${height}×${channels}.`);
  }
  const inside = box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
  if (!inside || box.width < 1 || box.height < 1 || !Object.values(box).every(Number.isInteger)) {
    throw new RangeError(
      `box ${JSON.stringify(box)} does not lie in the image of ${width}×${height} pixels.`,
    );
  }
  const outputBytes = outputWidth * outputHeight * channels;
  const target = options.target ?? new Uint8Array(targetOffset + outputBytes);
  if (target.length < targetOffset + outputBytes) {
    throw new RangeError(`target has ${target.length} bytes, ${targetOffset + outputBytes} are needed.`);
  }

  const lineBytes = width * channels;
  const start = box.y * lineBytes + box.x * channels;
  const needsRows = box.width !== outputWidth;
  const needsColumns = box.height !== outputHeight;
  const rowBytes = outputWidth * channels;
  // The horizontal pass writes rows one behind the other, and the vertical pass wants them so.
  const middle = needsColumns ? new Uint8Array(box.height * rowBytes) : target;
  const middleOffset = needsColumns ? 0 : targetOffset;
  if (!needsRows) {
    copyRows(source, start, lineBytes, middle, middleOffset, box.height, rowBytes);
  } else {
    const filter = filterFor(box.width, outputWidth);
    if (channels === 3) resampleRgbRows(source, start, lineBytes, middle, middleOffset, box.height, filter);
    else resample(source, start, lineBytes, middle, middleOffset, box.height, channels, filter);
  }
  if (!needsColumns) return target;
  const filter = filterFor(box.height, outputHeight);
  resample(middle, middleOffset, 0, target, targetOffset, 1, rowBytes, filter);
  return target;
}
