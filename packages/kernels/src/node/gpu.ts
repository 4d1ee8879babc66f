import { basename } from 'node:path';
import { isSoftwareAdapter } from '../runtime/adapter.js';
import { cacheDirectory } from './cache.js';
import { namedDriver, recordedDrivers, useSoftwareDriver, useSystemDrivers, vulkanChoice } from './driver.js';
import type { SoftwareDriver, VulkanChoice } from './driver.js';
import { noNodeAdapter } from './errors.js';
import { chooseGpu, GpuChoiceError, type GpuWanted } from './gpu-choice.js';
import { throttlePolling } from './throttle.js';

/** How `openGpu` opens WebGPU: which GPU or driver, and what its devices may do. */
export interface OpenGpuOptions {
  /** Dawn's flags, such as `enable-dawn-features=allow_unsafe_apis`. */
  flags?: readonly string[];
  /**
   * Lets devices have matrix units, and f16 on NVIDIA: experiments in Dawn, which hides them otherwise. Kernels use
   * them only where `Runtime.precision` allows it.
   */
  matrixUnits?: boolean;
  /**
   * Whether kernels check every index into a buffer or workgroup memory against its length. Off unless asked for:
   * dispatchers check shapes before anything runs, and on an H100 the checks cost 1.2 to 2 times the time of products
   * and attention. Ask for them where indices come from data that nobody has checked, or WGSL of your own is new: an
   * index outside then stays inside, where otherwise anything may be read or overwritten. Browsers always check.
   */
  boundsChecks?: boolean;
  /**
   * Milliseconds between dawn.node's questions whether the GPU has finished; 0 asks without a pause.
   * `auto`: 1 on software adapters, whose cores the asking would take away, and 0 on real GPUs.
   */
  pollIntervalMs?: number | 'auto';
  /** Which of several GPUs; default: the one that Dawn prefers. */
  gpu?: GpuWanted | undefined;
  /** Which Vulkan driver to use; the environment variable `TUBELET_VULKAN` unless given. */
  vulkan?: VulkanChoice;
}

interface OpenedGpu {
  gpu: GPU;
  /** The options that it was opened with. */
  optionsKey: string;
  /** `system`, or the name of the unpacked software driver in use. */
  driver: string;
}

/*
 * The object that Dawn hands out must stay reachable while any device of it lives: once it is
 * garbage-collected, devices crash or hang. A process-global holds it, shared by every copy of this
 * module in the process.
 */
const key = Symbol.for('tubelet.openGpus');
/*
 * The same holds of devices that are destroyed and not yet collected, so closed ones stay reachable too. They are
 * small, and keep no process alive.
 */
const closedKey = Symbol.for('tubelet.closedGpus');
const store = globalThis as { [key]?: OpenedGpu[]; [closedKey]?: GPU[] };

/**
 * A caller's flags with those that the engine always wants: times of kernels exact instead of in steps of 65 µs, a
 * protection that only web pages need. Dawn goes by the last flag of a name, so lists of features are merged.
 */
export function dawnFlags(flags: readonly string[]): string[] {
  const merged = new Map([['disable-dawn-features', ['timestamp_quantization']]]);
  for (const flag of flags) {
    const [name = flag, list] = flag.split('=', 2);
    const values = list?.split(',') ?? [];
    merged.set(name, name.endsWith('-dawn-features') ? [...(merged.get(name) ?? []), ...values] : values);
  }
  return [...merged].map(([name, values]) => (values.length > 0 ? `${name}=${values.join(',')}` : name));
}

const uncheckedFlag = 'enable-dawn-features=disable_robustness';
const matrixUnitFlag =
  'enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia,use_vulkan_memory_model';

/** The drivers to try, in order: the system's own (`null`), then the unpacked ones. */
export function driverCandidates(
  choice: VulkanChoice,
  recorded: readonly SoftwareDriver[],
  env: NodeJS.ProcessEnv = process.env,
): (SoftwareDriver | null)[] {
  if (choice === 'system') return [null];
  if (choice !== 'auto') return recorded.filter((driver) => driver.name === choice);
  // A driver that the user names explicitly is not to be replaced behind their back. A process that
  // was started by one of ours inherits our own setting: that one does not count.
  const named = namedDriver(env);
  const ours = recorded.find((driver) => driver.icd === named);
  if (ours) return [ours, ...recorded.filter((driver) => driver !== ours)];
  return named ? [null] : [null, ...recorded];
}

/**
 * Opens WebGPU through Dawn: a real GPU or whatever driver the system offers, else the software
 * driver that set-up recorded in the cache folder. Sets WebGPU's globals (`GPUBufferUsage`, …) where
 * they are missing. A second call with the same flags gives the same object.
 *
 * The process does not end by itself until `closeGpu()` was called.
 *
 * @throws NoAdapterError when no driver gives an adapter
 * @throws DriverLoadError when the cache folder's manifest is unreadable
 * @throws DriverChoiceError when `TUBELET_VULKAN` has an unknown value
 */
export async function openGpu(options: OpenGpuOptions = {}): Promise<GPU> {
  const flags = [
    ...(options.flags ?? []),
    ...(options.matrixUnits ? [matrixUnitFlag] : []),
    ...(options.boundsChecks ? [] : [uncheckedFlag]),
  ];
  const choice = options.vulkan ?? vulkanChoice();
  const opened = (store[key] ??= []);
  const optionsKey = [...flags, JSON.stringify(options.gpu)].join('\n');
  const known = opened.find((entry) => entry.optionsKey === optionsKey);
  if (known) return known.gpu;

  const { create, globals } = await import('webgpu');
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) {
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
    }
  }

  const tried: string[] = [];
  const recorded = recordedDrivers();
  const named = namedDriver();
  const candidates = driverCandidates(choice, recorded);
  for (const candidate of candidates) {
    const driver = candidate?.name ?? 'system';
    try {
      if (candidate) await useSoftwareDriver(candidate);
      else await useSystemDrivers(recorded);
      const chosen = options.gpu === undefined ? [] : await chooseGpu(options.gpu);
      const gpu = create(dawnFlags([...flags, ...chosen]));
      opened.push({ gpu, optionsKey, driver });
      const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
      if (adapter) {
        const interval = options.pollIntervalMs ?? 'auto';
        const automatic = isSoftwareAdapter(adapter.info) ? 1 : 0;
        throttlePolling(interval === 'auto' ? automatic : interval);
        return gpu;
      }
      opened.pop();
      tried.push(`${describe(candidate, named)}: Dawn accepts none of its devices`);
    } catch (error) {
      if (error instanceof GpuChoiceError) throw error;
      tried.push(`${describe(candidate, named)}: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (candidates.length === 0) {
    tried.push(`TUBELET_VULKAN=${choice}: ${cacheDirectory()} holds no such driver`);
  }
  throw noNodeAdapter(tried);
}

function describe(driver: SoftwareDriver | null, named: string | undefined): string {
  if (driver) return `${driver.name} ${driver.version} (${basename(driver.icd)})`;
  return named ? `${named}, which the environment names as the driver` : 'system drivers';
}

/**
 * The adapter of an opened GPU, the fastest first where there are several. An adapter gives one
 * device: ask anew for each.
 *
 * @throws NoAdapterError when Dawn offers none any more
 */
export async function requestNodeAdapter(gpu?: GPU): Promise<GPUAdapter> {
  const from = gpu ?? (await openGpu());
  const adapter = await from.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw noNodeAdapter(['the opened GPU object no longer offers an adapter']);
  return adapter;
}

/** Which driver an opened GPU uses: `system`, `llvmpipe` or `swiftshader`; undefined if not opened here. */
export function gpuDriver(gpu: GPU): string | undefined {
  return store[key]?.find((entry) => entry.gpu === gpu)?.driver;
}

/**
 * Lets go of an opened GPU (of all of them without an argument) and restores dawn.node's polling.
 * Destroy its devices first: none of them works afterwards.
 */
export function closeGpu(gpu?: GPU): void {
  const opened = store[key] ?? [];
  const closed = (store[closedKey] ??= []);
  for (const entry of opened) if (!gpu || entry.gpu === gpu) closed.push(entry.gpu);
  store[key] = gpu ? opened.filter((entry) => entry.gpu !== gpu) : [];
  if (store[key].length === 0) throttlePolling(0);
}
