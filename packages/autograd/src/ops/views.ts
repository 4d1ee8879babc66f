import { copyOf, type GpuArray, rowAdd, stridedMap } from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';
import { intoContiguousGradient } from './contiguous.js';

/**
 * Views of consecutive pieces of one axis, `sizes` long, sharing memory with `x`: nothing is copied, and
 * gradients that already lie in one buffer are put together without a copy.
 */
export function split(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  const { engine } = x;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total !== x.extent(axis)) {
    throw new RangeError(`split sizes ${sizes.join(' + ')} do not add up to axis ${axis} of ${x}`);
  }
  if (!x.array.isContiguous) throw new RangeError(`split needs a contiguous tensor, got ${x}`);
  let start = 0;
  const parts = sizes.map((size) => {
    const array = x.array.slice(axis, start, (start += size));
    return engine.output(array, [x], `part of ${x.name}`);
  });
  if (engine.needsGrad([x])) {
    engine.record({
      name: 'split',
      inputs: [x],
      outputs: parts,
      saved: [],
      backward: (gradients) => gradients.gather(x, parts),
    });
  }
  return parts;
}

/**
 * The tensor on `whole`, into which `parts` have been written (operations take `into`): together they must
 * cover it. The opposite of `split`, and as free.
 */
export function join(whole: GpuArray, parts: readonly Tensor[]): Tensor {
  const { engine } = parts[0]!;
  const covered = parts.reduce((sum, part) => sum + part.array.size, 0);
  if (covered !== whole.size || parts.some((part) => part.array.storage !== whole.storage)) {
    throw new RangeError(`join: ${parts.length} parts with ${covered} elements do not cover ${whole}`);
  }
  const y = engine.output(whole, parts, 'join');
  if (y.requiresGrad) {
    engine.record({
      name: 'join',
      inputs: parts,
      outputs: [y],
      saved: [],
      backward: (gradients) => {
        const dy = gradients.of(y);
        for (const part of parts) gradients.donate(part, alike(dy, whole, part.array));
      },
    });
  }
  return y;
}

/**
 * The same values, row by row, under another shape, of which one extent may be −1: what is left. Shares memory with `x`
 * where that is contiguous.
 *
 * @throws ShapeError for another number of elements, and extents that are not positive integers
 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  const { engine } = x;
  const known = shape.reduce((product, extent) => (extent === -1 ? product : product * extent), 1);
  const full = shape.map((extent) => (extent === -1 ? x.array.size / known : extent));
  const array = x.array.isContiguous ? x.array.reshape(full) : engine.empty(full, x.dtype, x.name);
  if (!x.array.isContiguous) {
    const out = array.reshape(x.shape);
    stridedMap(engine.runtime, { ...copyOf(x.array), out });
  }
  const y = engine.output(array, [x], x.name);
  if (y.requiresGrad) {
    engine.record({
      name: 'reshape',
      inputs: [x],
      outputs: [y],
      saved: [],
      backward: (gradients) => {
        const dy = gradients.of(y);
        if (dy.isContiguous) return gradients.donate(x, dy.reshape(x.shape));
        intoContiguousGradient(gradients, x, (target, accumulate) => {
          const out = target.reshape(y.shape);
          stridedMap(engine.runtime, {
            ...copyOf(dy),
            out,
            accumulate,
          });
        });
      },
    });
  }
  return y;
}

/** The view of `gradient` that lies where `part` lies in `whole`. */
function alike(gradient: GpuArray, whole: GpuArray, part: GpuArray): GpuArray {
  for (let axis = 0; axis < whole.shape.length; axis++) {
    if (part.shape[axis] !== whole.shape[axis]) {
      const start = (part.offset - whole.offset) / whole.strides[axis]!;
      return gradient.slice(axis, start, start + part.shape[axis]!);
    }
  }
  return gradient;
}

/** Copies x into `into` (same shape, f32 or f16, e.g. some rows of a larger buffer). */
export function copyInto(x: Tensor, into: GpuArray): Tensor {
  const { engine } = x;
  rowAdd(engine.runtime, { a: x.array, out: into });
  const y = engine.output(into, [x], x.name);
  if (y.requiresGrad) {
    engine.record({
      name: 'copy',
      inputs: [x],
      outputs: [y],
      saved: [],
      backward: (gradients) => gradients.donate(x, gradients.of(y)),
    });
  }
  return y;
}
