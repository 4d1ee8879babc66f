import { isNullAdapter, MATRIX_UNITS_FEATURE, summarizeAdapter } from './adapter.js';
import { NoAdapterError } from './errors.js';
import { Runtime } from './runtime.js';

export interface OpenRuntimeOptions {
  readonly powerPreference?: GPUPowerPreference;
  /**
   * Programs that `Runtime.compileLike` has a software driver compile at a time; default: as many as there are cores.
   * Real GPUs' drivers see to that by themselves.
   */
  readonly compilers?: number;
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
  const features = WANTED_FEATURES.filter((name) => adapter.features.has(name as GPUFeatureName));
  const summary = summarizeAdapter(adapter, features);
  const compilers = summary.isSoftware ? (options.compilers ?? hardwareConcurrency()) : 0;
  const device = await openDevice(adapter, features);
  return new Runtime(device, summary, () => openCompilers(gpu, options, features, compilers));
}

async function openDevice(adapter: GPUAdapter, features: readonly string[]): Promise<GPUDevice> {
  const requiredLimits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') requiredLimits[name] = value;
  }
  try {
    return await adapter.requestDevice({
      label: 'tubelet',
      requiredFeatures: features as GPUFeatureName[],
      requiredLimits,
    });
  } catch (error) {
    const { description, device } = adapter.info;
    throw new NoAdapterError(
      `the adapter ${description || device} gives no device: ` +
        `${error instanceof Error ? error.message : String(error)}. Close other programs that use the GPU, or run \`npm run doctor\`.`,
    );
  }
}

// An adapter gives one device: each needs its own. Fewer than wanted only take longer.
async function openCompilers(
  gpu: GPU,
  { powerPreference = 'high-performance' }: OpenRuntimeOptions,
  features: readonly string[],
  count: number,
): Promise<GPUDevice[]> {
  const devices: GPUDevice[] = [];
  for (let i = 0; i < count; i++) {
    const adapter = await gpu.requestAdapter({ powerPreference });
    if (!adapter) break;
    devices.push(await openDevice(adapter, features));
  }
  return devices;
}

function hardwareConcurrency(): number {
  const { navigator } = globalThis as { navigator?: { hardwareConcurrency?: number } };
  return navigator?.hardwareConcurrency ?? 1;
}
