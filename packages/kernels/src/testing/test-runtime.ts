import { afterAll, beforeAll } from 'vitest';
import { openGpu, closeGpu, type OpenGpuOptions } from '../node/index.js';
import { openRuntime } from '../runtime/open.js';
import type { Runtime } from '../runtime/runtime.js';

/** Opens one runtime for the calling test file and closes it at the end. New arrays start as NaN. */
export function useRuntime(options: OpenGpuOptions = {}): () => Runtime {
  let runtime: Runtime | undefined;
  beforeAll(async () => {
    runtime = await openRuntime(await openGpu(options));
    runtime.poisonAllocations = true;
  });
  afterAll(() => {
    runtime?.destroy();
    closeGpu();
  });
  return () => {
    if (!runtime) throw new Error('the runtime is only open while tests run');
    return runtime;
  };
}
