import type { Runtime } from './runtime.js';
import type { KernelData, WgslConstants } from './wgsl.js';

/**
 * Whole numbers that bound loops of a kernel: constants for a GPU, whose compiler unrolls a loop whose end it sees, and
 * data for a software driver, which must not: sixteen loads unrolled took 1.6 times as long there, and 15 times as long
 * to compile.
 */
export function loopBounds(
  { adapter }: Runtime,
  bounds: Readonly<Record<string, number>>,
): { readonly constants: WgslConstants; readonly data: KernelData } {
  return adapter.isSoftware ? { constants: {}, data: bounds } : { constants: bounds, data: {} };
}
