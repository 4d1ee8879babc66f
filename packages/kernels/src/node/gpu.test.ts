import { afterAll, describe, expect, it } from 'vitest';
import type { SoftwareDriver } from './driver';
import { closeGpu, driverCandidates, gpuDriver, isSoftwareAdapter, openGpu, requestNodeAdapter } from './gpu';

const driver = (name: SoftwareDriver['name']): SoftwareDriver => ({
  name,
  version: '1',
  icd: `/cache/${name}.json`,
  libraries: [],
});
const recorded = [driver('llvmpipe'), driver('swiftshader')];

describe('driverCandidates', () => {
  it('tries the system before the unpacked drivers', () => {
    expect(driverCandidates('auto', recorded, {})).toEqual([null, ...recorded]);
  });

  it('keeps to the driver that the choice names', () => {
    expect(driverCandidates('system', recorded, {})).toEqual([null]);
    expect(driverCandidates('swiftshader', recorded, {})).toEqual([recorded[1]]);
    expect(driverCandidates('llvmpipe', [], {})).toEqual([]);
  });

  it('does not replace a driver that the user named', () => {
    expect(driverCandidates('auto', recorded, { VK_DRIVER_FILES: '/etc/mine.json' })).toEqual([null]);
    expect(driverCandidates('auto', recorded, { VK_ICD_FILENAMES: '/etc/mine.json' })).toEqual([null]);
  });

  it('recognises a setting inherited from one of our own processes', () => {
    const env = { VK_DRIVER_FILES: '/cache/swiftshader.json' };
    expect(driverCandidates('auto', recorded, env)).toEqual([recorded[1], recorded[0]]);
  });
});

describe('isSoftwareAdapter', () => {
  const info = { architecture: '', device: '', description: '' };
  it('tells CPU adapters from GPUs', () => {
    expect(isSoftwareAdapter({ ...info, description: 'llvmpipe (LLVM 15.0.6, 256 bits)' })).toBe(true);
    expect(isSoftwareAdapter({ ...info, architecture: 'swiftshader' })).toBe(true);
    expect(isSoftwareAdapter({ ...info, isFallbackAdapter: true })).toBe(true);
    expect(isSoftwareAdapter({ ...info, architecture: 'hopper', description: 'NVIDIA H100' })).toBe(false);
  });
});

describe('openGpu', () => {
  afterAll(() => closeGpu());

  it('opens an adapter whose device computes', async () => {
    const gpu = await openGpu();
    expect(await openGpu()).toBe(gpu);
    expect(['system', 'llvmpipe', 'swiftshader']).toContain(gpuDriver(gpu));
    const device = await (await requestNodeAdapter(gpu)).requestDevice();
    const code = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
      @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {
        out[id.x] = 7u * id.x + 1u;
      }`;
    const pipeline = device.createComputePipeline({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }) },
    });
    const out = device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
    const read = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ binding: 0, resource: { buffer: out } }],
      }),
    );
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(out, 0, read, 0, 16);
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(GPUMapMode.READ);
    expect([...new Uint32Array(read.getMappedRange().slice(0))]).toEqual([1, 8, 15, 22]);
    device.destroy();
  });
});
