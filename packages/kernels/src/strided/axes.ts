import { ShapeError } from '../runtime/errors.js';
import { GpuArray } from '../runtime/gpu-array.js';

/** As many axes as kernels on strided arrays take, once those that merge have been merged. */
export const MOST_AXES = 6;

/** Axes that several arrays are walked along together, from the last one to the first, and their strides in each. */
export interface Axes {
  readonly extents: readonly number[];
  /** By array, then by axis. */
  readonly strides: readonly (readonly number[])[];
}

/**
 * The shape that arrays of these shapes have in common when axes are aligned from the last and those of extent 1 repeat.
 *
 * @throws ShapeError naming the operation and all shapes
 */
export function broadcastShape(operation: string, shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    let extent = 1;
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1;
      if (own === 1 || own === extent) continue;
      if (extent !== 1) {
        const texts = shapes.map((each) => `[${each.join(', ')}]`);
        throw new ShapeError(
          `${operation}: shapes ${texts.join(' and ')} do not broadcast: extents of an axis, counted from the last,` +
            ' must be equal or 1',
        );
      }
      extent = own;
    }
    return extent;
  });
}

/**
 * The view of `array` that repeats its axes of extent 1, and new leading ones, up to `shape`; it is only read.
 *
 * @throws ShapeError where `shape` has fewer axes, or another extent where the array's is not 1
 */
export function broadcastTo(array: GpuArray, shape: readonly number[]): GpuArray {
  const missing = shape.length - array.shape.length;
  const misfit = () => new ShapeError(`${array} does not broadcast to [${shape.join(', ')}]`);
  if (missing < 0) throw misfit();
  const strides = shape.map((extent, axis) => {
    const own = array.shape[axis - missing] ?? 1;
    if (own !== extent && own !== 1) throw misfit();
    return own === 1 ? 0 : array.strides[axis - missing]!;
  });
  return new GpuArray(array.storage, array.dtype, shape, strides, array.offset);
}

/**
 * Axes of the given extents, first to last, put together wherever all arrays allow it, and without those of extent 1.
 *
 * @throws ShapeError where more than six are left
 */
export function mergeAxes(
  kernel: string,
  extents: readonly number[],
  strides: readonly (readonly number[])[],
): Axes {
  const merged: number[] = [];
  const own: number[][] = strides.map(() => []);
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    const extent = extents[axis]!;
    if (extent === 1) continue;
    const last = merged.length - 1;
    const merges =
      last >= 0 && strides.every((each, array) => each[axis] === own[array]![last]! * merged[last]!);
    if (merges) merged[last]! *= extent;
    else {
      merged.push(extent);
      strides.forEach((each, array) => own[array]!.push(each[axis]!));
    }
  }
  if (merged.length > MOST_AXES) {
    throw new ShapeError(
      `${kernel}: [${extents.join(', ')}] has ${merged.length} axes that cannot be merged, at most ${MOST_AXES} can be` +
        ' walked along; copy or reshape an operand first',
    );
  }
  return { extents: merged, strides: own };
}
