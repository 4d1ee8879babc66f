/** Cutting and sizing of frames that stay planes of 4:2:0. */
import type { PlanarFrame } from '../pixels/planes.js';
import type { Box } from '../pixels/resize.js';
import { triangleFilter, type Filter } from '../pixels/triangle-filter.js';

/** The part of a plane along one axis: the samples from `begin` on that are summed at all, and what is cut out of them. */
interface Span {
  /** Samples of the whole plane. */
  stride: number;
  begin: number;
  length: number;
  /** From `begin` on, in samples; neither need be whole. */
  start: number;
  span: number;
}

function cutSpan(edge: number, start: number, span: number, subsampling: number): Span {
  const begin = Math.floor(start / subsampling);
  return {
    stride: Math.ceil(edge / subsampling),
    begin,
    length: Math.ceil((start + span) / subsampling) - begin,
    start: start / subsampling - begin,
    span: span / subsampling,
  };
}

/**
 * Cuts a part out of a plane and scales it with the triangle filter.
 *
 * @param target [outputLength, outputLength], written rounded and clamped.
 */
function resizePlane(plane: Uint8Array, x: Span, y: Span, outputLength: number, target: Uint8ClampedArray) {
  if (isCopy(x, outputLength) && isCopy(y, outputLength)) {
    for (let row = 0; row < outputLength; row++) {
      const from = (y.begin + row) * x.stride + x.begin;
      target.set(plane.subarray(from, from + outputLength), row * outputLength);
    }
    return;
  }
  const horizontal = triangleFilter({ ...x, outputLength });
  const vertical = triangleFilter({ ...y, outputLength });
  const rows = scaleRows(plane, x, y, horizontal);
  const { first, count, weights, maximumCount } = vertical;
  const sums = new Float64Array(outputLength);
  for (let row = 0, to = 0; row < outputLength; row++) {
    sums.fill(0);
    let from = (first[row] as number) * outputLength;
    for (let k = 0; k < (count[row] as number); k++) {
      const weight = weights[row * maximumCount + k] as number;
      for (let column = 0; column < outputLength; column++) {
        sums[column] = (sums[column] as number) + (rows[from++] as number) * weight;
      }
    }
    for (let column = 0; column < outputLength; column++) target[to++] = sums[column] as number;
  }
}

const isCopy = ({ start, span }: Span, outputLength: number) => span === outputLength && start === 0;

/** @returns [rows of `y`, outputs of the filter]. */
function scaleRows(
  plane: Uint8Array,
  x: Span,
  y: Span,
  { first, count, weights, maximumCount }: Filter,
): Float32Array {
  const scaled = new Float32Array(y.length * first.length);
  for (let row = 0, to = 0; row < y.length; row++) {
    const rowBegin = (y.begin + row) * x.stride + x.begin;
    for (let column = 0; column < first.length; column++) {
      let from = rowBegin + (first[column] as number);
      let weight = column * maximumCount;
      let sum = 0;
      for (let k = count[column] as number; k > 0; k--) {
        sum += (plane[from++] as number) * (weights[weight++] as number);
      }
      scaled[to++] = sum;
    }
  }
  return scaled;
}

/**
 * Cuts `box` out of a frame and scales it to a square with the triangle filter that Pillow calls bilinear, each plane by
 * itself. A box of the wanted size at an even place is copied.
 *
 * @param size edge of the result, even.
 * @returns the planes Y, U and V of `size` × `size` pixels.
 */
export function resizePlanes(
  { width, height, data }: PlanarFrame,
  box: Box,
  size: number,
): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(size * size + 2 * Math.ceil(size / 2) ** 2);
  let [from, to] = [0, 0];
  for (const subsampling of [1, 2, 2]) {
    const x = cutSpan(width, box.x, box.width, subsampling);
    const y = cutSpan(height, box.y, box.height, subsampling);
    const planeBytes = x.stride * y.stride;
    const edge = size / subsampling;
    resizePlane(
      data.subarray(from, from + planeBytes),
      x,
      y,
      edge,
      new Uint8ClampedArray(result.buffer, to, edge * edge),
    );
    from += planeBytes;
    to += edge * edge;
  }
  return result;
}
