import type { Runtime } from '@tubelet/kernels';
import type { KernelCase, KernelSpec } from '@tubelet/kernels/lab';
import { measureCase, type Measurement, type MeasureOptions } from './measure-case.js';
import { toRow, type KernelRow } from './report.js';
import { measureRoofline, type Roofline } from './roofline.js';

/** A kernel at a shape. */
export interface KernelAtCase {
  readonly spec: KernelSpec;
  readonly testCase: KernelCase<unknown>;
}

interface KernelsOptions extends MeasureOptions {
  /** Called for every case, to say which it is, or to leave it out by measuring nothing. */
  readonly around: (
    which: KernelAtCase,
    measure: () => Promise<Measurement[]>,
  ) => Promise<Measurement[] | undefined>;
}

/** Checks and times kernels, with all variants that the adapter can run, between two measurements of its ceilings. */
export async function measureKernels(
  runtime: Runtime,
  cases: readonly KernelAtCase[],
  options: KernelsOptions,
): Promise<{ readonly roofline: Roofline; readonly rows: readonly KernelRow[] }> {
  const before = await measureRoofline(runtime, options);
  const measurements: Measurement[] = [];
  for (const which of cases) {
    const measure = () => measureCase(runtime, which.spec, which.testCase, options);
    measurements.push(...((await options.around(which, measure)) ?? []));
    runtime.pool.trim();
  }
  // Other programs may have slowed down one of the two: the higher one is nearer to the ceiling.
  const after = await measureRoofline(runtime, options);
  const roofline = {
    gigaflopsPerSecond: Math.max(before.gigaflopsPerSecond, after.gigaflopsPerSecond),
    gigabytesPerSecond: Math.max(before.gigabytesPerSecond, after.gigabytesPerSecond),
  };
  return { roofline, rows: measurements.map((measurement) => toRow(measurement, roofline)) };
}
