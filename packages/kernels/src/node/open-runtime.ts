import { availableParallelism } from 'node:os';
import { createRequire } from 'node:module';
import { openRuntime, type OpenRuntimeOptions } from '../runtime/open.js';
import type { Runtime } from '../runtime/runtime.js';
import { closeGpu, openGpu, type OpenGpuOptions } from './gpu.js';

/**
 * A runtime on the best adapter that Dawn finds.
 *
 * @throws NoAdapterError with remedies when there is none
 */
export async function openNodeRuntime(options: OpenGpuOptions & OpenRuntimeOptions = {}): Promise<Runtime> {
  // Mesa's cache is how one device finds what another has compiled.
  const isCacheOff = /^(1|true)$/i.test(process.env.MESA_SHADER_CACHE_DISABLE ?? '');
  const compilers = isCacheOff ? 0 : availableParallelism();
  return openRuntime(await openGpu(options), { compilers, ...options });
}

/** Ends all use of the device, so that the process can exit. */
export function closeNodeRuntime(runtime: Runtime): void {
  runtime.destroy();
  closeGpu();
}

/** Version of Dawn's Node bindings, for records of how a result was made. */
export function gpuBindingsVersion(): string {
  const { version } = createRequire(import.meta.url)('webgpu/package.json') as { version: string };
  return version;
}
