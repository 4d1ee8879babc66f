import { GpuArray } from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';

/**
 * The number of an axis from the first; negative ones count from the last.
 *
 * @throws RangeError naming the operation
 */
export function axisOf(operation: string, x: Tensor, axis: number): number {
  const rank = x.shape.length;
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new RangeError(
      `${operation}: ${x} has no axis ${axis}; its axes are 0 … ${rank - 1}, or −${rank} … −1`,
    );
  }
  return axis < 0 ? axis + rank : axis;
}

/**
 * By axis of `x`, whether it is one of `axes`; all are by default.
 *
 * @throws RangeError for one that is not there
 */
export function chosenAxes(operation: string, x: Tensor, axes: readonly number[] | undefined): boolean[] {
  const chosen = axes && new Set(axes.map((axis) => axisOf(operation, x, axis)));
  if (chosen && chosen.size !== axes.length) {
    throw new RangeError(`${operation}: axes ${axes.join(', ')} of ${x} name one twice`);
  }
  return x.shape.map((_, axis) => chosen?.has(axis) ?? true);
}

/** `shape` with an extent of 1 for the chosen axes. */
export function keptShape(shape: readonly number[], isChosen: readonly boolean[]): number[] {
  return shape.map((extent, axis) => (isChosen[axis] ? 1 : extent));
}

/** The view with axes of extent 1 at the chosen places: what a reduction without them gave, as one that kept them. */
export function withAxes(array: GpuArray, isChosen: readonly boolean[]): GpuArray {
  if (array.shape.length === isChosen.length) return array;
  let next = 0;
  const source = isChosen.map((chosen) => (chosen ? undefined : next++));
  return new GpuArray(
    array.storage,
    array.dtype,
    source.map((axis) => (axis === undefined ? 1 : array.shape[axis]!)),
    source.map((axis) => (axis === undefined ? 0 : array.strides[axis]!)),
    array.offset,
  );
}
