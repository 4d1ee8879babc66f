import type { Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { afterAll, beforeAll } from 'vitest';

/** Opens one runtime for the calling test file and closes it at the end. New arrays start as NaN. */
export function useRuntime(): () => Runtime {
  let runtime: Runtime | undefined;
  beforeAll(async () => {
    runtime = await openNodeRuntime();
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
