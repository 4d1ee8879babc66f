import type { Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { afterAll, beforeAll } from 'vitest';

/** Opens one runtime for the calling test file and closes it at the end. New arrays start as NaN. */
export function useRuntime(): () => Runtime {
  let runtime: Runtime | undefined;
  beforeAll(async () => {
    // Tests have a cache folder of their own, but for the driver.
    const own = process.env['TUBELET_CACHE_DIR'];
    const ofDriver = process.env['TUBELET_DRIVER_CACHE_DIR'];
    if (ofDriver) process.env['TUBELET_CACHE_DIR'] = ofDriver;
    else delete process.env['TUBELET_CACHE_DIR'];
    runtime = await openNodeRuntime();
    process.env['TUBELET_CACHE_DIR'] = own;
    runtime.poisonAllocations = true;
  });
  afterAll(() => {
    if (runtime) closeNodeRuntime(runtime);
  });
  return () => {
    if (!runtime) throw new Error('the runtime is only open while tests run');
    return runtime;
  };
}
