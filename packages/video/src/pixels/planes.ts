/**
 * From the planes of a coded frame to the square RGB frame that the model sees. Every decoder hands over planes of
 * 4:2:0 video as they were coded, and cropping, scaling and the conversion to RGB happen here: so all of them give the
 * same bytes.
 */
import { colourFactors, type Colour } from '@tubelet/kernels';
import type { Box } from './resize.js';
import { triangleFilter, type Filter } from './triangle-filter.js';

export type { Colour };

/** A frame of 8 bits in 4:2:0: the planes Y, U and V one behind the other, without padding. */
export interface PlanarFrame {
  width: number;
  height: number;
  /** [height, width], then twice [⌈height/2⌉, ⌈width/2⌉]. */
  data: Uint8Array;
}

const half = (length: number) => Math.ceil(length / 2);

/** Turns a plane clockwise. */
function turnPlane(source: Uint8Array, width: number, height: number, degrees: 90 | 180 | 270): Uint8Array {
  const turned = new Uint8Array(source.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to =
        degrees === 90
          ? x * height + (height - 1 - y)
          : degrees === 180
            ? (height - 1 - y) * width + (width - 1 - x)
            : (width - 1 - x) * height + y;
      turned[to] = source[y * width + x] as number;
    }
  }
  return turned;
}

/** Turns a frame clockwise, each plane by itself. */
export function turnFrame(frame: PlanarFrame, degrees: 90 | 180 | 270): PlanarFrame {
  const { width, height, data } = frame;
  const [chromaWidth, chromaHeight] = [half(width), half(height)];
  const turned = new Uint8Array(data.length);
  let offset = 0;
  for (const [planeWidth, planeHeight] of [
    [width, height],
    [chromaWidth, chromaHeight],
    [chromaWidth, chromaHeight],
  ] as const) {
    const plane = data.subarray(offset, offset + planeWidth * planeHeight);
    turned.set(turnPlane(plane, planeWidth, planeHeight, degrees), offset);
    offset += plane.length;
  }
  return degrees === 180 ? { width, height, data: turned } : { width: height, height: width, data: turned };
}

/** Where a plane's samples lie and how they are weighted along each axis. */
interface PlaneScaler {
  stride: number;
  /** The first byte of the part in use, from the start of the plane. */
  begin: number;
  rows: number;
  horizontal: Filter;
  vertical: Filter;
}

/**
 * @param subsampling 1 for luma, 2 for chroma, whose samples lie in the middle of the pixels that share them.
 */
function planeScaler(width: number, box: Box, size: number, subsampling: 1 | 2): PlaneScaler {
  const stride = Math.ceil(width / subsampling);
  const [left, top] = [Math.floor(box.x / subsampling), Math.floor(box.y / subsampling)];
  const columns = Math.ceil((box.x + box.width) / subsampling) - left;
  const rows = Math.ceil((box.y + box.height) / subsampling) - top;
  const filter = (length: number, start: number, span: number, cut: number) =>
    triangleFilter({
      length,
      start: start / subsampling - cut,
      span: span / subsampling,
      outputLength: size,
    });
  return {
    stride,
    begin: top * stride + left,
    rows,
    horizontal: filter(columns, box.x, box.width, left),
    vertical: filter(rows, box.y, box.height, top),
  };
}

/** The horizontal pass: [rows, size]. */
function scaleRows(plane: Uint8Array, { stride, begin, rows, horizontal }: PlaneScaler): Float32Array {
  const { first, count, weights, maximumCount } = horizontal;
  const size = first.length;
  const scaled = new Float32Array(rows * size);
  for (let y = 0, to = 0; y < rows; y++) {
    const row = begin + y * stride;
    for (let x = 0; x < size; x++, to++) {
      let from = row + (first[x] as number);
      let weight = x * maximumCount;
      let sum = 0;
      for (let k = count[x] as number; k > 0; k--) {
        sum += (plane[from++] as number) * (weights[weight++] as number);
      }
      scaled[to] = sum;
    }
  }
  return scaled;
}

/** One row of the vertical pass, into `sums`. */
function sumRows(scaled: Float32Array, { vertical }: PlaneScaler, y: number, sums: Float64Array): void {
  const { first, count, weights, maximumCount } = vertical;
  const size = sums.length;
  let from = (first[y] as number) * size;
  for (let k = 0; k < (count[y] as number); k++) {
    const weight = weights[y * maximumCount + k] as number;
    if (k === 0) for (let x = 0; x < size; x++) sums[x] = (scaled[from++] as number) * weight;
    else for (let x = 0; x < size; x++) sums[x] = (sums[x] as number) + (scaled[from++] as number) * weight;
  }
}

/**
 * Cuts `box` out of a frame, scales it to a square with the triangle filter that Pillow calls bilinear, and converts
 * it to RGB. Nothing is rounded in between.
 *
 * @param target [size, size, 3], written clamped (a view of the bytes that are to be filled).
 */
export function planesToRgb(
  { width, height, data }: PlanarFrame,
  colour: Colour,
  box: Box,
  size: number,
  target: Uint8ClampedArray,
): void {
  const luma = planeScaler(width, box, size, 1);
  const chroma = planeScaler(width, box, size, 2);
  const chromaBytes = half(width) * half(height);
  const chromaBegin = width * height;
  const yRows = scaleRows(data, luma);
  const uRows = scaleRows(data.subarray(chromaBegin), chroma);
  const vRows = scaleRows(data.subarray(chromaBegin + chromaBytes), chroma);

  const [lumaZero, lumaScale, redOfV, greenOfU, greenOfV, blueOfU] = colourFactors(colour);
  const [ys, us, vs] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  for (let y = 0, to = 0; y < size; y++) {
    sumRows(yRows, luma, y, ys);
    sumRows(uRows, chroma, y, us);
    sumRows(vRows, chroma, y, vs);
    for (let x = 0; x < size; x++) {
      const brightness = ((ys[x] as number) - lumaZero) * lumaScale;
      const u = (us[x] as number) - 128;
      const v = (vs[x] as number) - 128;
      target[to++] = brightness + redOfV * v;
      target[to++] = brightness + greenOfU * u + greenOfV * v;
      target[to++] = brightness + blueOfU * u;
    }
  }
}
