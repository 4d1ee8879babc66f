import { elementwise, elementwiseVariants } from '../elementwise/elementwise.js';
import exponentialWgsl from '../math/exponential.wgsl';
import { ShapeError } from '../runtime/errors.js';
import { elementBytes, type GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import type { Runtime } from '../runtime/runtime.js';
import functionWgsl from './gelu-function.wgsl';

export const geluVariants = elementwiseVariants;

export function geluCost(count: number, { xBytes = 4, yBytes = 4 } = {}): Cost {
  return { macs: 0, flops: 0, bytesRead: xBytes * count, bytesWritten: yBytes * count };
}

export function geluBackwardCost(
  count: number,
  accumulate: boolean,
  { xBytes = 4, dyBytes = 4, dxBytes = 4 } = {},
): Cost {
  const bytesRead = (xBytes + dyBytes + (accumulate ? dxBytes : 0)) * count;
  return { macs: 0, flops: 0, bytesRead, bytesWritten: dxBytes * count };
}

/**
 * y = GELU(x) = x · Φ(x), exact (erf) form, element by element (Hendrycks & Gimpel, 2016). `x` and `y` are f32 or f16 and of
 * the same size; where one of them is a strided view, both have the same rows.
 *
 * @throws ShapeError otherwise
 */
export function gelu(runtime: Runtime, x: GpuArray, y: GpuArray): void {
  const [from, to] = alike('gelu', [x, y]) as [GpuArray, GpuArray];
  elementwise(runtime, {
    kernel: 'gelu',
    inputs: { x: { array: from } },
    out: to,
    outName: 'y',
    value: 'gelu(x)',
    scalarFunctions: [exponentialWgsl, functionWgsl],
    cost: geluCost(x.size, { xBytes: elementBytes(x.dtype), yBytes: elementBytes(y.dtype) }),
  });
}

/**
 * dx = dy · GELU′(x) = dy · (Φ(x) + x · φ(x)), or dx += … with `accumulate`. All are f32 or f16 and of the same size; where
 * one of them is a strided view, all have the same rows.
 *
 * @throws ShapeError otherwise
 */
export function geluBackward(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  dx: GpuArray,
  { accumulate = false }: { accumulate?: boolean } = {},
): void {
  const [at, gradient, out] = alike('gelu-backward', [x, dy, dx]) as [GpuArray, GpuArray, GpuArray];
  elementwise(runtime, {
    kernel: 'gelu-backward',
    inputs: { x: { array: at }, dy: { array: gradient } },
    out,
    outName: 'dx',
    value: 'dy * gelu_derivative(x)',
    scalarFunctions: [exponentialWgsl, functionWgsl],
    accumulate,
    cost: geluBackwardCost(x.size, accumulate, {
      xBytes: elementBytes(x.dtype),
      dyBytes: elementBytes(dy.dtype),
      dxBytes: elementBytes(dx.dtype),
    }),
  });
}

/** The arrays, each as one row where all are contiguous: then their shapes do not matter. */
function alike(kernel: string, arrays: readonly GpuArray[]): readonly GpuArray[] {
  const { size } = arrays[0]!;
  if (arrays.some((array) => (array.dtype !== 'f32' && array.dtype !== 'f16') || array.size !== size)) {
    throw new ShapeError(`${kernel} takes arrays of f32 or f16 and of one size, got ${arrays.join(' and ')}`);
  }
  return arrays.every(({ isContiguous }) => isContiguous)
    ? arrays.map((array) => array.reshape([size]))
    : arrays;
}
