import type { Runtime } from '../runtime/runtime.js';
import overflowWgsl from './half-overflow.wgsl';

/** Beyond 65504, the greatest value of f16, by more than rounding. */
export const BEYOND_HALF = 70_000;

/**
 * What the device makes of ±70000 when a kernel rounds them to f16: infinities by IEEE 754, but WGSL lets a driver give
 * ±65504 as well. The device needs `shader-f16`.
 *
 * @returns [of 70000, of −70000]
 */
export async function roundBeyondHalf(runtime: Runtime): Promise<readonly [number, number]> {
  const [above, below] = await runtime.scope(() => {
    const values = runtime.upload(Float32Array.of(BEYOND_HALF, -BEYOND_HALF, 0, 0), [4]);
    const out = runtime.empty([4]);
    runtime.run({
      kernel: 'half-overflow',
      wgsl: [overflowWgsl],
      arrays: { values, out },
      workgroups: [1],
      cost: { macs: 0, flops: 0, bytesRead: 16, bytesWritten: 16 },
    });
    return runtime.read(out);
  });
  return [above!, below!];
}
