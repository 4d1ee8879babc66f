import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import type { Runtime } from '../runtime/runtime.js';
import { f32 } from '../runtime/wgsl.js';
import { elementwise, elementwiseVariants } from './elementwise.js';

export const fillVariants = elementwiseVariants;

export function fillCost(count: number): Cost {
  return { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 4 * count };
}

export interface FillArrays {
  /** Any rows; what lies between them stays as it is. */
  readonly out: GpuArray;
  readonly value: number;
}

/** out = value everywhere. For zeros in contiguous arrays `Runtime.clear` is cheaper. */
export function fill(runtime: Runtime, { out, value }: FillArrays): void {
  elementwise(runtime, {
    kernel: 'fill',
    inputs: {},
    out,
    value: 'FILL_VALUE',
    // Nothing is loaded: with single elements one program does for every layout.
    scalarFunctions: [],
    data: { FILL_VALUE: f32(value) },
    cost: fillCost(out.size),
  });
}
