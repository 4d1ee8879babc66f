import { copyOf, rowAdd, stridedMap, type GpuArray, type Runtime } from '@tubelet/kernels';

/**
 * What `read` gives of an array with the elements of `array` row by row: itself, or of a view, such as a part of a split
 * tensor, a copy.
 */
export function readPacked<T>(
  runtime: Runtime,
  array: GpuArray,
  read: (array: GpuArray) => Promise<T>,
): Promise<T> {
  if (array.isContiguous) return read(array);
  const out = runtime.empty(array.shape, array.dtype, 'values to read');
  if (array.dtype === 'f16') rowAdd(runtime, { a: array, out });
  else stridedMap(runtime, { ...copyOf(array), out });
  const values = read(out);
  // The GPU has been told to read: whoever takes this memory next writes to it afterwards.
  runtime.release(out);
  return values;
}
