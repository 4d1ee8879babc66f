import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closeGpu, openGpu } from '../node/index.js';
import { double } from './double.testing.js';
import { DeviceLostError, KernelValidationError, NoAdapterError, OutOfMemoryError } from './errors.js';
import { openRuntime } from './open.js';
import type { Runtime } from './runtime.js';

const free = { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 };

/** Each test gets a device of its own: after an error a runtime is of no use. */
describe('errors of the GPU', () => {
  let runtime: Runtime;
  beforeEach(async () => {
    runtime = await openRuntime(await openGpu());
  });
  afterEach(() => runtime.destroy());
  afterAll(() => closeGpu());

  it('name the kernel whose WGSL does not compile, and the line', async () => {
    const [x, y] = [runtime.empty([8]), runtime.empty([8])];
    double(runtime, x, y);
    double(runtime, x, y, { kernel: 'triple', broken: true });
    const reading = runtime.read(y);
    await expect(reading).rejects.toThrow(KernelValidationError);
    await expect(reading).rejects.toMatchObject({ kernel: 'triple' });
    await expect(reading).rejects.toThrow(/broken.*no matching overload for 'operator \*/s);
    expect(() => double(runtime, x, y), 'later calls throw it too').toThrow(KernelValidationError);
    await expect(runtime.synchronize()).rejects.toMatchObject({ kernel: 'triple' });
  });

  it('name the kernel that is refused when it is submitted', async () => {
    // The binding is smaller than the array that the kernel declares: known only when both meet.
    const [x, y] = [runtime.empty([8]), runtime.empty([8])];
    double(runtime, x, y);
    runtime.run({
      kernel: 'wide',
      wgsl: [
        'var<storage, read_write> y: array<f32, ELEMENTS>;\n@compute @workgroup_size(1) fn main() { y[0] = 1.0; }',
      ],
      constants: { ELEMENTS: 1024 },
      arrays: { y: x },
      workgroups: [1],
      cost: free,
    });
    const waiting = runtime.synchronize();
    await expect(waiting).rejects.toMatchObject({ kernel: 'wide' });
    await expect(waiting).rejects.toThrow(/ELEMENTS=1024.*256.*too small/s);
  });

  it('list the kernels of the batch where the GPU does not say which it is', async () => {
    const [x, y] = [runtime.empty([8]), runtime.empty([8])];
    double(runtime, x, y);
    y.storage.buffer.destroy();
    await expect(runtime.synchronize()).rejects.toThrow(/destroyed.*Recorded kernels: double/s);
  });

  it('report memory that the GPU does not have as such', async () => {
    const refusing = new Proxy(runtime.device, {
      get(device, name) {
        if (name === 'popErrorScope') return () => Promise.resolve({ message: 'no memory left' });
        const value: unknown = Reflect.get(device, name, device);
        return typeof value === 'function' ? value.bind(device) : value;
      },
    });
    const { Runtime } = await import('./runtime.js');
    const poor = new Runtime(refusing, runtime.adapter);
    const array = poor.empty([1024], 'f32', 'hidden layer');
    const waiting = poor.synchronize();
    await expect(waiting).rejects.toThrow(OutOfMemoryError);
    await expect(waiting).rejects.toMatchObject({ requestedBytes: 4096, heldBytes: 0 });
    await expect(waiting).rejects.toThrow('hidden layer: no memory left');
    expect(() => poor.write(array, new Float32Array(1024))).toThrow(OutOfMemoryError);
  });

  it('report a lost device on reads under way and on every later call', async () => {
    const [x, y] = [runtime.upload(new Float32Array(8), [8]), runtime.empty([8])];
    double(runtime, x, y);
    const reading = runtime.read(y);
    runtime.device.destroy();
    await expect(reading).rejects.toThrow(DeviceLostError);
    await expect(runtime.synchronize()).rejects.toThrow(/lost \(destroyed\).*last checkpoint/s);
    for (const use of [
      () => runtime.empty([8]),
      () => runtime.upload(new Float32Array(8), [8]),
      () => runtime.write(x, new Float32Array(8)),
      () => runtime.clear(x),
      () => runtime.copy(x, y),
      () => double(runtime, x, y),
    ]) {
      expect(use).toThrow(DeviceLostError);
    }
    runtime.release(x);
  });

  it('say who destroyed the device when the program did', async () => {
    const x = runtime.upload(new Float32Array(8), [8]);
    const reading = runtime.read(x);
    runtime.destroy();
    await expect(reading).rejects.toThrow('Runtime.destroy() was called');
    await expect(runtime.read(x)).rejects.toThrow(DeviceLostError);
    await expect(runtime.synchronize()).rejects.toThrow(DeviceLostError);
    expect(() => runtime.empty([1])).toThrow('Runtime.destroy() was called');
  });

  it('end profiling with an error when the device is lost under it', async () => {
    if (!runtime.startProfiling()) return;
    const [x, y] = [runtime.upload(new Float32Array(8), [8]), runtime.empty([8])];
    double(runtime, x, y);
    runtime.submit();
    runtime.device.destroy();
    await expect(runtime.stopProfiling()).rejects.toThrow(DeviceLostError);
    expect(await runtime.stopProfiling()).toEqual([]);
  });

  it('say what to do where there is no adapter', async () => {
    const none = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
    await expect(openRuntime(none)).rejects.toThrow(NoAdapterError);
    await expect(openRuntime(none)).rejects.toThrow('npx tubelet doctor');
    await expect(openRuntime(undefined)).rejects.toThrow(NoAdapterError);
    await expect(openRuntime(undefined)).rejects.toThrow('there is no WebGPU here');
  });

  it('say which adapter gives no device, and why', async () => {
    const adapter = {
      info: { vendor: 'v', architecture: 'a', device: 'd', description: 'Test GPU' },
      limits: {},
      features: new Set(),
      requestDevice: () => Promise.reject(new Error('all devices are in use')),
    };
    const gpu = { requestAdapter: () => Promise.resolve(adapter) } as unknown as GPU;
    await expect(openRuntime(gpu)).rejects.toThrow(NoAdapterError);
    await expect(openRuntime(gpu)).rejects.toThrow(
      'adapter Test GPU gives no device: all devices are in use',
    );
  });
});
