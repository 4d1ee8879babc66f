import { afterAll, beforeAll } from 'vitest';
import type { OpenGpuOptions } from '../node/index.js';
import { openRuntime } from '../runtime/open.js';
import type { Runtime } from '../runtime/runtime.js';

// In Node the GPU is Dawn's, whose module a page does not load.
const node = 'window' in globalThis ? undefined : await import('../node/index.js');

/**
 * Opens one runtime for the calling test file and closes it at the end. New arrays start as NaN. In a page, whose GPU
 * is the browser's, the options are without meaning.
 */
export function useRuntime(options: OpenGpuOptions = {}): () => Runtime {
  let runtime: Runtime | undefined;
  beforeAll(async () => {
    runtime = await openRuntime(node ? await node.openGpu(options) : navigator.gpu);
    runtime.poisonAllocations = true;
  });
  afterAll(() => {
    runtime?.destroy();
    node?.closeGpu();
  });
  return () => {
    if (!runtime) throw new Error('the runtime is only open while tests run');
    return runtime;
  };
}
