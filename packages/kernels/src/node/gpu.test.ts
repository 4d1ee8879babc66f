import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { SoftwareDriver } from './driver.js';
import { NoAdapterError } from './errors.js';
import { closeGpu, dawnFlags, driverCandidates, gpuDriver, openGpu, requestNodeAdapter } from './gpu.js';

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

describe('dawnFlags', () => {
  it('asks for exact timestamps and merges lists of features, of which Dawn would take only the last', () => {
    expect(dawnFlags([])).toEqual(['disable-dawn-features=timestamp_quantization']);
    expect(
      dawnFlags([
        'disable-dawn-features=a,b',
        'enable-dawn-features=c',
        'backend=null',
        'enable-dawn-features=d',
      ]),
    ).toEqual([
      'disable-dawn-features=timestamp_quantization,a,b',
      'enable-dawn-features=c,d',
      'backend=null',
    ]);
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

  it('names what it tried and the remedies where there is no adapter', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'tubelet-gpu-'));
    const before = process.env.TUBELET_CACHE_DIR;
    process.env.TUBELET_CACHE_DIR = empty;
    try {
      const opening = openGpu({ vulkan: 'llvmpipe', flags: ['enable-dawn-features=none-so-far'] });
      await expect(opening).rejects.toThrow(NoAdapterError);
      await expect(opening).rejects.toThrow(empty);
      await expect(opening).rejects.toThrow(/npx tubelet doctor[^]*npx tubelet setup/);
    } finally {
      if (before === undefined) delete process.env.TUBELET_CACHE_DIR;
      else process.env.TUBELET_CACHE_DIR = before;
      rmSync(empty, { recursive: true });
    }
  });

  /** Runs a module that has the sources of this folder as `node`; gives what it prints. */
  async function printed(body: string, ...flags: string[]): Promise<string> {
    const typescript = new URL('../../../../scripts/typescript.mjs', import.meta.url).href;
    const program = `
      const node = await import('@tubelet/kernels/node');
      ${body}`;
    const words = [...flags, '--import', typescript, '--input-type=module', '-e', program];
    const { stdout } = await promisify(execFile)(process.execPath, words, { timeout: 600_000 });
    return stdout.trim();
  }

  it('lets a process end by itself once it is closed', async () => {
    const driver = await printed(`
      const report = await node.probeGpu();
      node.closeGpu();
      console.log(report.driver);`);
    expect(['system', 'llvmpipe', 'swiftshader']).toContain(driver);
  });

  it('lets a process go on once it is closed, and open it again, whenever memory is collected', async () => {
    const again = `
      const use = async () => {
        const runtime = await node.openNodeRuntime();
        runtime.upload(new Float32Array(100), [100]);
        node.closeNodeRuntime(runtime);
      };
      for (let i = 0; i < 3; i++) {
        await use();
        for (let collected = 0; collected < 3; collected++) {
          gc();
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
      console.log('went on');`;
    expect(await printed(again, '--expose-gc')).toBe('went on');
  });
});
