import { copyOf, type GpuArray, stridedMap } from '@tubelet/kernels';
import type { GradientFlow, Tensor } from '../engine/tensor.js';

/** `body` on an array with the elements of `array` row by row: itself, or a copy that is given back afterwards. */
export function withContiguous<T>(
  { engine: { runtime } }: Tensor,
  array: GpuArray,
  body: (array: GpuArray) => T,
): T {
  if (array.isContiguous) return body(array);
  const copy = runtime.empty(array.shape, array.dtype, 'contiguous copy');
  stridedMap(runtime, { ...copyOf(array), out: copy });
  const result = body(copy);
  runtime.release(copy);
  return result;
}

/**
 * Has a kernel that wants a contiguous array write the gradient of `tensor`, under any shape of the same size; `write`
 * overwrites the array, or adds to it.
 */
export function intoContiguousGradient(
  gradients: GradientFlow,
  tensor: Tensor,
  write: (array: GpuArray, accumulate: boolean) => void,
): void {
  const { runtime } = tensor.engine;
  const { array, accumulate } = gradients.target(tensor);
  if (array.isContiguous) return write(array, accumulate);
  const scratch = runtime.empty(array.shape, 'f32', `gradient of ${tensor.name}`);
  write(scratch, false);
  stridedMap(runtime, {
    ...copyOf(scratch),
    out: array,
    accumulate,
  });
  runtime.release(scratch);
}
