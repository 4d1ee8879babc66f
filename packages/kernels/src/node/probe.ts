import { isSoftwareAdapter, matrixUnitsOf, type MatrixUnitConfig } from '../runtime/adapter.js';
import { gpuDriver, openGpu, requestNodeAdapter, type OpenGpuOptions } from './gpu.js';

/** What an adapter is and can do, as plain data. */
export interface GpuReport {
  /** `system`, `llvmpipe` or `swiftshader`: where the driver came from. */
  driver: string;
  vendor: string;
  architecture: string;
  device: string;
  /** The adapter's name and driver version, as the driver words them. */
  description: string;
  /** Computes on the CPU. */
  software: boolean;
  subgroupMinSize: number;
  subgroupMaxSize: number;
  features: string[];
  limits: Record<string, number>;
  /** None where they were not asked for: `matrixUnits` of the options. */
  matrixUnits: MatrixUnitConfig[];
}

/** The device was opened but does not compute what it was told to. */
export class WrongResultError extends Error {
  override readonly name = 'WrongResultError';
}

const invocations = 64;

/** Runs one small kernel with a loop and a select in it and compares every element. */
async function checkArithmetic(device: GPUDevice): Promise<void> {
  const code = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(${invocations}) fn main(@builtin(global_invocation_id) id: vec3u) {
      var sum = 0u;
      for (var i = 0u; i <= id.x; i++) { sum += select(i, 2u * i, i % 2u == 0u); }
      out[id.x] = sum;
    }`;
  const size = 4 * invocations;
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const out = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const read = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const entries = [{ binding: 0, resource: { buffer: out } }];
  const bindings = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindings);
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(out, 0, read, 0, size);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  const got = new Uint32Array(read.getMappedRange().slice(0));
  let want = 0;
  for (let i = 0; i < invocations; i++) {
    want += i % 2 === 0 ? 2 * i : i;
    if (got[i] !== want) {
      throw new WrongResultError(`The adapter computes ${got[i]} where ${want} is right (element ${i}).`);
    }
  }
}

/**
 * Opens the GPU that a program started the same way would use, runs a small kernel on it and says
 * what it is. The GPU stays open: `closeGpu()` when done.
 *
 * @param options as `openGpu` takes them; `{ matrixUnits: true }` shows what a training in f16 is given
 * @throws NoAdapterError when there is no adapter
 * @throws WrongResultError when the kernel's result is wrong
 */
export async function probeGpu(options: OpenGpuOptions = {}): Promise<GpuReport> {
  const gpu = await openGpu(options);
  const adapter = await requestNodeAdapter(gpu);
  const { info } = adapter;
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value: unknown = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') limits[name] = value;
  }
  const report: GpuReport = {
    driver: gpuDriver(gpu) ?? 'system',
    vendor: info.vendor,
    architecture: info.architecture,
    device: info.device,
    description: info.description,
    software: isSoftwareAdapter(info),
    subgroupMinSize: info.subgroupMinSize,
    subgroupMaxSize: info.subgroupMaxSize,
    features: [...adapter.features].sort(),
    limits,
    matrixUnits: matrixUnitsOf(info),
  };
  const device = await adapter.requestDevice();
  try {
    await checkArithmetic(device);
  } finally {
    device.destroy();
  }
  return report;
}
