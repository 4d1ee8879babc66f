import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import mulHighWgsl from './mul-high.wgsl';
import fillWgsl from './philox-fill.wgsl';
import normalWgsl from './philox-normal.wgsl';
import philoxWgsl from './philox.wgsl';
import { withPhiloxKey, type PhiloxKeySource } from './philox-key.js';
import type { Purpose } from './philox.js';

export const philoxFillVariants: readonly Variant[] = [
  { name: 'block-per-invocation', needs: [], prefers: 'any' },
];

const DRAWS_PER_WORKGROUP = 256;
const KINDS = { uint32: 0, uniform: 1, normal: 2 } as const;

/** What to fill, and with the draws of which stream. */
export type PhiloxFillOptions = PhiloxKeySource & {
  /** Contiguous, of any shape; element i (row-major) becomes draw i of the stream. */
  readonly out: GpuArray;
  readonly purpose: Purpose;
};

export function philoxFillCost(count: number): Cost {
  return { macs: 0, flops: 0, bytesRead: 16, bytesWritten: 4 * count };
}

/** Fills a u32 array with raw draws, bit for bit those of `PhiloxStream.nextUint32`. */
export function philoxUint32(runtime: Runtime, options: PhiloxFillOptions): void {
  fill(runtime, 'uint32', options);
}

/** Fills an f32 array with numbers uniform in [0, 1), bit for bit those of `PhiloxStream.uniform`. */
export function philoxUniform(runtime: Runtime, options: PhiloxFillOptions): void {
  fill(runtime, 'uniform', options);
}

/** Fills an f32 array with standard normal numbers: those of `PhiloxStream.normal` to within 1e-6 · max(1, |x|). */
export function philoxNormal(runtime: Runtime, options: PhiloxFillOptions): void {
  fill(runtime, 'normal', options);
}

function fill(runtime: Runtime, kind: keyof typeof KINDS, options: PhiloxFillOptions): void {
  const kernel = `philox-${kind}`;
  const { out, purpose } = options;
  const wanted = kind === 'uint32' ? 'u32' : 'f32';
  if (out.dtype !== wanted || !out.isContiguous) {
    throw new ShapeError(`${kernel}: out is ${out}: give a contiguous ${wanted} array`);
  }
  const count = out.size;
  const grid = runtime.linearGrid(Math.ceil(count / DRAWS_PER_WORKGROUP));
  withPhiloxKey(runtime, kernel, options, (key) =>
    runtime.run({
      kernel,
      wgsl: [mulHighWgsl, philoxWgsl, normalWgsl, fillWgsl],
      constants: { KIND: KINDS[kind] },
      data: { COUNT: count, OUT_OFFSET: out.offset, GRID_X: grid[0], PURPOSE: purpose },
      arrays: { key, out },
      workgroups: grid,
      cost: philoxFillCost(count),
    }),
  );
}
