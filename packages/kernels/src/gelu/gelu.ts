import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import exponentialWgsl from '../math/exponential.wgsl';
import backwardWgsl from './gelu-backward.wgsl';
import functionWgsl from './gelu-function.wgsl';
import forwardWgsl from './gelu.wgsl';

export const geluVariants: readonly Variant[] = [{ name: 'elementwise', needs: [], prefers: 'any' }];

const ELEMENTS_PER_WORKGROUP = 256;

export function geluCost(count: number): Cost {
  return { macs: 0, flops: 0, bytesRead: 4 * count, bytesWritten: 4 * count };
}

export function geluBackwardCost(count: number, accumulate: boolean): Cost {
  return { macs: 0, flops: 0, bytesRead: (accumulate ? 12 : 8) * count, bytesWritten: 4 * count };
}

/**
 * y = GELU(x), exact form, element by element. `x` and `y` are contiguous f32 of the same size.
 * Throws `ShapeError` otherwise.
 */
export function gelu(runtime: Runtime, x: GpuArray, y: GpuArray): void {
  requireAlike('gelu', [x, y]);
  const count = x.size;
  const grid = runtime.linearGrid(Math.ceil(count / ELEMENTS_PER_WORKGROUP));
  runtime.run({
    kernel: 'gelu',
    wgsl: [exponentialWgsl, functionWgsl, forwardWgsl],
    data: { COUNT: count, X_OFFSET: x.offset, Y_OFFSET: y.offset, GRID_X: grid[0] },
    arrays: { x, y },
    workgroups: grid,
    cost: geluCost(count),
  });
}

/** dx = dy · GELU′(x), or dx += … with `accumulate`. All contiguous f32 of the same size. */
export function geluBackward(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  dx: GpuArray,
  { accumulate = false }: { accumulate?: boolean } = {},
): void {
  requireAlike('gelu-backward', [x, dy, dx]);
  const count = x.size;
  const grid = runtime.linearGrid(Math.ceil(count / ELEMENTS_PER_WORKGROUP));
  runtime.run({
    kernel: 'gelu-backward',
    wgsl: [exponentialWgsl, functionWgsl, backwardWgsl],
    constants: { ACCUMULATE: accumulate },
    data: {
      COUNT: count,
      X_OFFSET: x.offset,
      DY_OFFSET: dy.offset,
      DX_OFFSET: dx.offset,
      GRID_X: grid[0],
    },
    arrays: { x, dy, dx },
    workgroups: grid,
    cost: geluBackwardCost(count, accumulate),
  });
}

function requireAlike(kernel: string, arrays: readonly GpuArray[]): void {
  const [first] = arrays;
  for (const array of arrays) {
    if (array.dtype !== 'f32' || !array.isContiguous || array.size !== first!.size) {
      throw new ShapeError(`${kernel} takes contiguous f32 arrays of one size, got ${arrays.join(' and ')}`);
    }
  }
}
