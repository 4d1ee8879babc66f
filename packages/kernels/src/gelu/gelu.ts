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
 * y = GELU(x) = x · Φ(x), exact (erf) form, element by element (Hendrycks & Gimpel, 2016). `x` and `y` are contiguous,
 * f32 or f16, and of the same size.
 *
 * @throws ShapeError otherwise
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
    cost: geluCost(x.size, { xBytes: elementBytes(x.dtype), yBytes: elementBytes(y.dtype) }),
  });
}

/** dx = dy · GELU′(x) = dy · (Φ(x) + x · φ(x)), or dx += … with `accumulate`. All contiguous, f32 or f16, of the same size. */
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
    cost: geluBackwardCost(x.size, accumulate, {
      xBytes: elementBytes(x.dtype),
      dyBytes: elementBytes(dy.dtype),
      dxBytes: elementBytes(dx.dtype),
    }),
  });
}

function flat(array: GpuArray): GpuArray {
  return array.reshape([array.size]);
}

function requireAlike(kernel: string, arrays: readonly GpuArray[]): void {
  const [first] = arrays;
  for (const array of arrays) {
    const isReal = array.dtype === 'f32' || array.dtype === 'f16';
    if (!isReal || !array.isContiguous || array.size !== first!.size) {
      throw new ShapeError(
        `${kernel} takes contiguous arrays of f32 or f16 and of one size, got ${arrays.join(' and ')}`,
      );
    }
  }
}
