import { promisify } from 'node:util';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { closeGpu, openGpu, requestNodeAdapter } from './gpu.js';
import { isPoll, throttlePolling } from './throttle.js';

/** Keeps a software adapter busy for some milliseconds and waits for it. */
async function work(device: GPUDevice): Promise<void> {
  const code = `@group(0) @binding(0) var<storage, read_write> out: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      var sum = f32(id.x);
      for (var i = 0u; i < 20000u; i++) { sum = fract(sum * 1.5 + 0.25); }
      out[id.x] = sum;
    }`;
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const buffer = device.createBuffer({ size: 4 * 4096, usage: GPUBufferUsage.STORAGE });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const entries = [{ binding: 0, resource: { buffer } }];
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(64);
  pass.end();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
}

describe('throttlePolling', () => {
  const builtin = globalThis.setImmediate;
  let immediates: { poll: boolean }[] = [];

  beforeEach(() => {
    throttlePolling(0);
    immediates = [];
    const counted = (callback: () => void, ...args: []) => {
      immediates.push({ poll: isPoll(callback, args.length) });
      return builtin(callback, ...args);
    };
    globalThis.setImmediate = Object.assign(counted, builtin) as typeof builtin;
  });
  afterEach(() => {
    throttlePolling(0);
    globalThis.setImmediate = builtin;
  });
  afterAll(() => closeGpu());

  it("recognises dawn.node's poll and makes it wait", async () => {
    const gpu = await openGpu({ pollIntervalMs: 0 });
    const device = await (await requestNodeAdapter(gpu)).requestDevice();
    await work(device);
    expect(immediates.filter(({ poll }) => poll).length).toBeGreaterThan(0);

    throttlePolling(1);
    immediates = [];
    await work(device);
    // What still comes through at once: one question for new work, asked through our wrapper.
    expect(immediates.filter(({ poll }) => poll)).toEqual([]);
    expect(immediates.length).toBeLessThan(100);
    device.destroy();
  });

  it("leaves everybody else's setImmediate alone", async () => {
    const intervalMs = 54.321;
    throttlePolling(intervalMs);
    const timers = vi.spyOn(globalThis, 'setTimeout');
    try {
      const text = await new Promise<string>((resolve) => setImmediate(resolve, 'with an argument'));
      expect(text).toBe('with an argument');
      expect(await promisify(setImmediate)('value')).toBe('value');
      expect(timers.mock.calls.filter(([, ms]) => ms === intervalMs)).toEqual([]);
    } finally {
      timers.mockRestore();
    }
  });

  it('restores the original', () => {
    const before = globalThis.setImmediate;
    throttlePolling(1);
    expect(globalThis.setImmediate).not.toBe(before);
    throttlePolling(0);
    expect(globalThis.setImmediate).toBe(before);
  });

  it('refuses an interval that is none', () => {
    expect(() => throttlePolling(-1)).toThrow('-1 ms');
    expect(() => throttlePolling(Number.NaN)).toThrow(RangeError);
  });
});

describe('isPoll', () => {
  it('takes neither functions of programs nor bound ones for a poll', () => {
    const named = function tick() {};
    expect(isPoll(named, 0)).toBe(false);
    expect(isPoll(() => {}, 0)).toBe(false);
    expect(isPoll(named.bind(null), 0)).toBe(false);
    expect(isPoll(Math.max, 0)).toBe(false);
  });
});
