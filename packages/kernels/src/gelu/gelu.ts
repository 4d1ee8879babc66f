import { elementwise, elementwiseVariants } from '../elementwise/elementwise.js';
import exponentialWgsl from '../math/exponential.wgsl';
import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import type { Runtime } from '../runtime/runtime.js';
import functionWgsl from './gelu-function.wgsl';

export const geluVariants = elementwiseVariants;

export function geluCost(count: number): Cost {
  return { macs: 0, flops: 0, bytesRead: 4 * count, bytesWritten: 4 * count };
}

export function geluBackwardCost(count: number, accumulate: boolean): Cost {
  return { macs: 0, flops: 0, bytesRead: (accumulate ? 12 : 8) * count, bytesWritten: 4 * count };
}

/**
 * y = GELU(x) = x · Φ(x), exact (erf) form, element by element (Hendrycks & Gimpel, 2016). `x` and `y` are contiguous
 * f32 of the same size. Throws `ShapeError` otherwise.
 */
export function gelu(runtime: Runtime, x: GpuArray, y: GpuArray): void {
  requireAlike('gelu', [x, y]);
  elementwise(runtime, {
    kernel: 'gelu',
    inputs: { x: { array: flat(x) } },
    out: flat(y),
    outName: 'y',
    value: 'gelu(x)',
    scalarFunctions: [exponentialWgsl, functionWgsl],
    cost: geluCost(x.size),
  });
}

/** dx = dy · GELU′(x) = dy · (Φ(x) + x · φ(x)), or dx += … with `accumulate`. All contiguous f32 of the same size. */
export function geluBackward(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  dx: GpuArray,
  { accumulate = false }: { accumulate?: boolean } = {},
): void {
  requireAlike('gelu-backward', [x, dy, dx]);
  elementwise(runtime, {
    kernel: 'gelu-backward',
    inputs: { x: { array: flat(x) }, dy: { array: flat(dy) } },
    out: flat(dx),
    outName: 'dx',
    value: 'dy * gelu_derivative(x)',
    scalarFunctions: [exponentialWgsl, functionWgsl],
    accumulate,
    cost: geluBackwardCost(x.size, accumulate),
  });
}

function flat(array: GpuArray): GpuArray {
  return array.reshape([array.size]);
}

function requireAlike(kernel: string, arrays: readonly GpuArray[]): void {
  const [first] = arrays;
  for (const array of arrays) {
    if (array.dtype !== 'f32' || !array.isContiguous || array.size !== first!.size) {
      throw new ShapeError(`${kernel} takes contiguous f32 arrays of one size, got ${arrays.join(' and ')}`);
    }
  }
}
