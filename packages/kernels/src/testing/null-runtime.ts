import { isNullAdapter, summarizeAdapter } from '../runtime/adapter.js';
import { Runtime, type AdapterSummary } from '../runtime/runtime.js';

// Devices need the object that Dawn hands out for as long as they live.
const opened: GPU[] = [];

/**
 * A runtime on Dawn's null backend, which checks and compiles WGSL and has every feature, but executes nothing: what is
 * read from it is meaningless. For tests that programs compile, of variants that this machine cannot run too.
 *
 * @param features to open the device with
 * @param claims what kernels are to take the adapter for; it has no matrix units of its own to tell about
 */
export async function openNullRuntime(
  features: readonly string[],
  claims: Partial<AdapterSummary>,
): Promise<Runtime> {
  const { create } = await import('webgpu');
  const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
  opened.push(gpu);
  const adapter = await gpu.requestAdapter();
  if (!adapter || !isNullAdapter(adapter.info)) {
    throw new Error(`Dawn gives ${adapter?.info.device ?? 'nothing'} for its null backend`);
  }
  const requiredLimits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') requiredLimits[name] = value;
  }
  const device = await adapter.requestDevice({
    requiredFeatures: features as GPUFeatureName[],
    requiredLimits,
  });
  return new Runtime(device, { ...summarizeAdapter(adapter, features), ...claims });
}
