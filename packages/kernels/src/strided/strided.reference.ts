import { contiguousStrides, product } from '../runtime/gpu-array.js';

/** Values by strides, in float64. */
export interface StridedValues {
  readonly data: Float64Array;
  readonly strides: readonly number[];
}

/** The index of every place of `shape`, row by row, in each of several arrays by their strides. */
export function* places(
  shape: readonly number[],
  arrays: readonly StridedValues[],
): Generator<readonly number[]> {
  const own = contiguousStrides(shape);
  for (let place = 0; place < product(shape); place++) {
    const steps = shape.map((extent, axis) => Math.floor(place / own[axis]!) % extent);
    yield arrays.map(({ strides }) => steps.reduce((at, step, axis) => at + step * strides[axis]!, 0));
  }
}

/** Strides of a contiguous array that repeats its axes of extent 1 up to another shape. */
export function repeatingStrides(shape: readonly number[]): number[] {
  const strides = contiguousStrides(shape);
  return shape.map((extent, axis) => (extent === 1 ? 0 : strides[axis]!));
}
