import { describe, expect, it } from 'vitest';
import { useRuntime } from '../testing/test-runtime.js';
import { BufferPool, sizeClassBytes } from './buffer-pool.js';
import { double } from './double.testing.js';
import { OutOfMemoryError, ReleaseError } from './errors.js';
import { FailureLog } from './failure-log.js';
import { GpuArray } from './gpu-array.js';

describe('buffer pool', () => {
  const runtime = useRuntime();

  // Releases in another order than it asks, as a backward pass does.
  const step = () =>
    runtime().scope(() => {
      const arrays = [1, 2, 3, 4].map(() => runtime().empty([64]));
      for (let i = 1; i < arrays.length; i++) double(runtime(), arrays[i - 1]!, arrays[i]!);
      runtime().release(arrays[2]!);
      runtime().release(arrays[0]!);
      const late = runtime().empty([64]);
      double(runtime(), arrays[3]!, late);
    });

  it('gives a step the buffers that the step before had, so that no bind group is made anew', () => {
    step();
    const { bindGroupsCreated } = runtime().counters;
    const { createdBuffers } = runtime().pool;
    for (let i = 0; i < 5; i++) step();
    expect(runtime().counters.bindGroupsCreated).toBe(bindGroupsCreated);
    expect(runtime().pool.createdBuffers).toBe(createdBuffers);
  });

  it('leaves nothing handed out when a step ends', () => {
    const { liveBytes } = runtime().pool;
    step();
    expect(runtime().pool.liveBytes).toBe(liveBytes);
  });

  it('counts what is in use, the peak, and what exists', () => {
    const { pool } = runtime();
    pool.trim();
    pool.resetPeak();
    const { liveBytes, reservedBytes } = pool;
    const a = runtime().empty([1024]);
    const b = runtime().empty([1024]);
    runtime().release(a);
    expect(pool.liveBytes - liveBytes).toBe(4096);
    expect(pool.peakBytes - liveBytes).toBe(8192);
    expect(pool.reservedBytes - reservedBytes).toBe(8192);
    runtime().release(b);
    pool.resetPeak();
    expect(pool.peakBytes).toBe(liveBytes);
  });

  it('gives memory back on trim, with the bind groups on it, and goes on working', async () => {
    const { pool, counters } = runtime();
    // Recorded, but not submitted when its buffers are destroyed.
    const ended = runtime().scope(() => {
      const [x, y] = [runtime().upload(new Float32Array(64).fill(3), [64]), runtime().empty([64])];
      double(runtime(), x, y);
      return runtime().read(y);
    });
    pool.trim();
    expect(pool.reservedBytes).toBe(pool.liveBytes);
    expect(await ended).toEqual(new Float32Array(64).fill(6));
    const { bindGroupsCreated } = counters;
    step();
    expect(counters.bindGroupsCreated).toBeGreaterThan(bindGroupsCreated);
    await runtime().synchronize();
  });

  it('finds bind groups on regions again, and makes new ones once their storage is gone', () => {
    const { pool, counters } = runtime();
    const bindRegions = () =>
      runtime().scope(() => {
        const [x, y] = [runtime().empty([512]), runtime().empty([512])];
        const regions = [x, y].map(
          ({ storage }) => new GpuArray(pool.region(storage, 1024, 1024), 'f32', [256]),
        );
        expect(regions[0]!.storage).toMatchObject({ offsetBytes: 1024, sizeBytes: 1024 });
        expect(() => pool.release(regions[0]!.storage)).toThrow(ReleaseError);
        double(runtime(), regions[0]!, regions[1]!);
      });
    bindRegions();
    const { bindGroupsCreated } = counters;
    bindRegions();
    expect(counters.bindGroupsCreated).toBe(bindGroupsCreated);
    pool.trim();
    bindRegions();
    expect(counters.bindGroupsCreated).toBe(bindGroupsCreated + 1);
  });

  it('refuses memory given back twice', () => {
    const array = runtime().empty([8]);
    runtime().release(array);
    expect(() => runtime().release(array)).toThrow(/storage \d+ \(256 B\) was released twice/);
  });

  it('refuses more than a binding may have before asking the GPU', () => {
    const { pool } = runtime();
    const { createdBuffers } = pool;
    const { maxBufferSize, maxStorageBufferBindingSize } = runtime().device.limits;
    const elements = Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 4) + 1;
    let thrown: unknown;
    try {
      runtime().empty([elements], 'f32', 'hidden layer');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(OutOfMemoryError);
    expect(thrown).toMatchObject({ requestedBytes: 4 * elements, heldBytes: pool.reservedBytes });
    expect((thrown as Error).message).toMatch(/hidden layer.*smaller batch/);
    expect(pool.createdBuffers).toBe(createdBuffers);
  });
});

it('rounds a size just below the limit up to the limit, not beyond', () => {
  const created: number[] = [];
  const device = {
    limits: { maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: 10_003 },
    pushErrorScope: () => undefined,
    popErrorScope: () => Promise.resolve(null),
    createBuffer: ({ size }: GPUBufferDescriptor) => created.push(size),
  } as unknown as GPUDevice;
  const pool = new BufferPool(device, new FailureLog(), () => undefined);
  expect(sizeClassBytes(9_900)).toBe(10_240);
  expect(pool.acquire(9_900, 'bank')).toMatchObject({ sizeBytes: 10_000, usedBytes: 9_900 });
  expect(created).toEqual([10_000]);
  expect(() => pool.acquire(10_001, 'bank')).toThrow('at most 9.77 KiB');
});

describe('sizeClassBytes', () => {
  it('wastes at most an eighth beyond the first kibibytes and binds whole words', () => {
    expect([1, 256, 257, 2048, 2049].map(sizeClassBytes)).toEqual([256, 256, 512, 2048, 2304]);
    for (let size = 2048; size < 2 ** 33; size = Math.ceil(size * 1.37)) {
      const capacity = sizeClassBytes(size);
      expect(capacity).toBeGreaterThanOrEqual(size);
      expect(capacity / size).toBeLessThan(1.125 + 1e-9);
      expect(capacity % 256).toBe(0);
      expect(sizeClassBytes(capacity)).toBe(capacity);
    }
  });
});
