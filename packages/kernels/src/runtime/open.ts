import { isNullAdapter, MATRIX_UNITS_FEATURE, summarizeAdapter } from './adapter.js';
import { NoAdapterError } from './errors.js';
import { Runtime } from './runtime.js';

/** How a device is opened. */
export interface OpenRuntimeOptions {
  readonly powerPreference?: GPUPowerPreference;
  /**
   * Programs that `Runtime.compileLike` has Mesa's llvmpipe compile at a time, on devices of their own; default 0. Other
   * drivers compile when they are asked to, or share nothing between devices.
   */
  readonly compilers?: number;
}

// Asked for where the adapter has them; kernels check the device, never assume.
const WANTED_FEATURES = ['timestamp-query', 'shader-f16', 'subgroups', MATRIX_UNITS_FEATURE];

/**
 * Opens a device with every feature the kernels can use and the largest limits the adapter offers.
 * In a browser pass `navigator.gpu`, which is undefined where there is no WebGPU; in Node use `openNodeRuntime` of
 * `@tubelet/kernels/node`.
 *
 * @throws NoAdapterError when there is no WebGPU or no adapter, or it gives no device
 */
export async function openRuntime(gpu: GPU | undefined, options: OpenRuntimeOptions = {}): Promise<Runtime> {
  if (!gpu) {
    throw new NoAdapterError(
      'there is no WebGPU here. In a page use a current Chrome, Edge, Safari or Firefox, over https or from localhost; in ' +
        'Node open it by `@tubelet/kernels/node` or `@tubelet/autograd/node`.',
    );
  }
  const adapter = await gpu.requestAdapter({
    powerPreference: options.powerPreference ?? 'high-performance',
  });
  if (!adapter) {
    throw new NoAdapterError(
      'WebGPU offers no adapter. In Node run `npx tubelet doctor`; in a browser enable WebGPU (chrome://gpu shows its state).',
    );
  }
  if (isNullAdapter(adapter.info)) {
    throw new NoAdapterError(
      'the adapter is Dawn\u2019s null backend, which computes nothing; leave out the flag backend=null.',
    );
  }
  const features = WANTED_FEATURES.filter((name) => adapter.features.has(name as GPUFeatureName));
  const summary = summarizeAdapter(adapter, features);
  const { compilers = 0 } = options;
  const sharesPrograms = /llvmpipe/i.test(`${summary.description} ${summary.device}`);
  const device = await openDevice(adapter, features);
  return new Runtime(device, summary, (most) =>
    openCompilers(gpu, options, features, sharesPrograms ? Math.min(compilers, most) : 0),
  );
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
        `${error instanceof Error ? error.message : String(error)}. Close other programs that use the GPU, or run \`npx tubelet doctor\`.`,
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
    const device = adapter && (await openDevice(adapter, features).catch(() => null));
    if (!device) break;
    devices.push(device);
  }
  return devices;
}
