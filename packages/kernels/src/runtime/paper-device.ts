import type { AdapterSummary } from './adapter.js';
import { TubeletError } from './errors.js';
import { Runtime } from './runtime.js';
import type { Precision } from './variants.js';

/** Values were read from a device that computes nothing. */
export class PaperReadError extends TubeletError {}

/** What a runtime on paper pretends to be. */
export interface PaperOptions {
  /** What the device claims to be; kernels choose their variants by it. Default: a GPU without optional features. */
  readonly adapter?: Partial<AdapterSummary>;
  /** Limits that it claims; default: those of a common desktop GPU. */
  readonly limits?: Partial<GPUSupportedLimits>;
  /** What inputs may be rounded to, by which variants are chosen too; default f32. */
  readonly precision?: Precision;
  /**
   * What reading gives: an error (default), or zeros, for a program whose sequence of commands alone is of interest and
   * that reads as it goes.
   */
  readonly reads?: 'refuse' | 'zeros';
}

const ADAPTER: AdapterSummary = {
  vendor: '',
  architecture: '',
  device: '',
  description: 'paper: nothing is computed',
  isSoftware: false,
  subgroupMinSize: 32,
  subgroupMaxSize: 32,
  features: [],
};

const LIMITS: Partial<GPUSupportedLimits> = {
  maxBufferSize: 2 ** 32,
  maxStorageBufferBindingSize: 2 ** 32 - 4,
  maxStorageBuffersPerShaderStage: 16,
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeWorkgroupStorageSize: 49152,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxComputeWorkgroupSizeY: 1024,
  maxComputeWorkgroupSizeZ: 64,
};

/**
 * A runtime that has no GPU: shapes are checked, variants chosen, memory handed out, dispatches counted and their
 * costs added up as on a real device, but nothing exists and nothing is computed, so that a step of any model at any
 * batch size takes no memory and milliseconds. Reading from it throws `PaperReadError` unless zeros are asked for:
 * results of it cannot be mistaken for results.
 */
export function paperRuntime(options: PaperOptions = {}): Runtime {
  const runtime = new Runtime(paperDevice(options), paperAdapter(options));
  runtime.precision = options.precision ?? 'f32';
  return runtime;
}

/** What `paperRuntime` must be given to choose, and to be limited, as this runtime is. */
export function likeRuntime({
  adapter,
  device,
  precision,
}: Runtime): Pick<PaperOptions, 'adapter' | 'limits' | 'precision'> {
  return { adapter, limits: paperLimits(device.limits), precision };
}

/** The adapter of a paper device: without timestamps, since there is nothing to time. */
export function paperAdapter({ adapter }: PaperOptions): AdapterSummary {
  const summary = { ...ADAPTER, ...adapter };
  return { ...summary, features: summary.features.filter((name) => name !== 'timestamp-query') };
}

/** As much of a WebGPU device as `Runtime` uses. */
export function paperDevice(options: PaperOptions): GPUDevice {
  const nothing = () => undefined;
  const pass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing };
  const encoder = {
    beginComputePass: () => pass,
    clearBuffer: nothing,
    copyBufferToBuffer: nothing,
    finish: () => ({}),
  };
  const queue = { submit: nothing, writeBuffer: nothing, onSubmittedWorkDone: () => Promise.resolve() };
  const device = {
    limits: paperLimits(options.limits),
    features: new Set(paperAdapter(options).features),
    // Never settles: a device that does not exist cannot be lost.
    lost: new Promise<never>(nothing),
    queue,
    addEventListener: nothing,
    pushErrorScope: nothing,
    popErrorScope: () => Promise.resolve(null),
    createShaderModule: () => ({}),
    createBindGroupLayout: () => ({}),
    createPipelineLayout: () => ({}),
    createComputePipeline: () => ({}),
    createComputePipelineAsync: () => Promise.resolve({}),
    createBindGroup: () => ({}),
    createCommandEncoder: () => encoder,
    createBuffer: ({ size }: { readonly size: number }) => paperBuffer(size, options.reads ?? 'refuse'),
    destroy: nothing,
  };
  return device as unknown as GPUDevice;
}

// A real device's limits are getters of its prototype, which spreading would lose.
function paperLimits(given: Partial<GPUSupportedLimits> = {}): Partial<GPUSupportedLimits> {
  const limits: Record<string, unknown> = { ...LIMITS };
  for (const name in given) limits[name] = given[name as keyof GPUSupportedLimits];
  return limits;
}

function paperBuffer(size: number, reads: 'refuse' | 'zeros') {
  return {
    size,
    destroy: () => undefined,
    mapAsync: async () => {
      if (reads === 'zeros') return;
      throw new PaperReadError(
        'this device only counts: nothing was computed, so there is nothing to read. Use a real device',
      );
    },
    getMappedRange: () => new ArrayBuffer(size),
  };
}
