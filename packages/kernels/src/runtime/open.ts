import { isNullAdapter, MATRIX_UNITS_FEATURE, summarizeAdapter } from './adapter.js';
import { NoAdapterError } from './errors.js';
import { Runtime } from './runtime.js';

export interface OpenRuntimeOptions {
  readonly powerPreference?: GPUPowerPreference;
}

// Asked for where the adapter has them; kernels check the device, never assume.
const WANTED_FEATURES = ['timestamp-query', 'shader-f16', 'subgroups', MATRIX_UNITS_FEATURE];

/**
 * Opens a device with every feature the kernels can use and the largest limits the adapter offers.
 * In a browser pass `navigator.gpu`; in Node use `openNodeRuntime` of `@tubelet/kernels/node`.
 *
 * @throws NoAdapterError when there is no adapter, or it gives no device
 */
export async function openRuntime(gpu: GPU, options: OpenRuntimeOptions = {}): Promise<Runtime> {
  const adapter = await gpu.requestAdapter({
    powerPreference: options.powerPreference ?? 'high-performance',
  });
  if (!adapter) {
    throw new NoAdapterError(
      'WebGPU offers no adapter. In Node run `npm run doctor`; in a browser enable WebGPU (chrome://gpu shows its state).',
    );
  }
  if (isNullAdapter(adapter.info)) {
    throw new NoAdapterError(
      'the adapter is Dawn\u2019s null backend, which computes nothing; leave out the flag backend=null.',
    );
  }
  const requiredLimits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') requiredLimits[name] = value;
  }
  const features = WANTED_FEATURES.filter((name) => adapter.features.has(name as GPUFeatureName));
  const summary = summarizeAdapter(adapter, features);
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({
      label: 'tubelet',
      requiredFeatures: features as GPUFeatureName[],
      requiredLimits,
    });
  } catch (error) {
    throw new NoAdapterError(
      `the adapter ${summary.description || summary.device} gives no device: ` +
        `${error instanceof Error ? error.message : String(error)}. Close other programs that use the GPU, or run \`npm run doctor\`.`,
    );
  }
  return new Runtime(device, summary);
}
