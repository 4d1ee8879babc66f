import { describe, expect, it } from 'vitest';
import { useRuntime } from '../testing/test-runtime.js';
import { double } from './double.testing.js';
import { ShapeError } from './errors.js';
import type { GpuArray } from './gpu-array.js';

const free = { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 };

describe('Runtime', () => {
  const runtime = useRuntime();

  it('opens the device with the limits and features of its adapter', () => {
    const { device, adapter } = runtime();
    expect(device.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(2 ** 27);
    expect(device.limits.maxComputeInvocationsPerWorkgroup).toBeGreaterThanOrEqual(256);
    for (const feature of adapter.features) expect(runtime().hasFeature(feature), feature).toBe(true);
    expect(runtime().hasFeature('no-such-feature')).toBe(false);
  });

  it('runs kernels in the order of recording and counts them', () =>
    runtime().scope(async () => {
      const arrays = [runtime().upload(new Float32Array(100).fill(1), [100])];
      const { dispatches } = runtime().counters;
      const before = runtime().ledger.total();
      for (let i = 0; i < 10; i++) {
        arrays.push(runtime().empty([100]));
        double(runtime(), arrays[i]!, arrays[i + 1]!);
      }
      expect((await runtime().read(arrays[10]!)).every((value) => value === 1024)).toBe(true);
      expect(runtime().counters.dispatches - dispatches).toBe(10);
      const after = runtime().ledger.total();
      expect(after.calls - before.calls).toBe(10);
      expect(after.flops - before.flops).toBe(1000);
      expect(after.bytesWritten - before.bytesWritten).toBe(4000);
    }));

  it('compiles a program once and submits by itself in long runs: a few commands soon, then many at a time', () =>
    runtime().scope(async () => {
      const [x, y] = [runtime().upload(new Float32Array(7), [7]), runtime().empty([7])];
      const { pipelinesCreated } = runtime().counters;
      await runtime().synchronize();
      const { submits } = runtime().counters;
      for (let i = 0; i < 16; i++) double(runtime(), x, y, { kernel: 'repeated' });
      expect(runtime().counters.submits - submits).toBe(1);
      for (let i = 0; i < 600; i++) double(runtime(), x, y, { kernel: 'repeated' });
      expect(runtime().counters.pipelinesCreated).toBe(pipelinesCreated + 1);
      expect(runtime().counters.submits - submits).toBe(3);
      await runtime().synchronize();
      expect(runtime().counters.submits - submits).toBe(4);
    }));

  it('submits nothing when nothing is recorded', async () => {
    await runtime().synchronize();
    const { submits } = runtime().counters;
    runtime().submit();
    await runtime().synchronize();
    expect(runtime().counters.submits).toBe(submits);
  });

  it('spreads workgroups over two dimensions beyond the limit of one', () => {
    const limit = runtime().device.limits.maxComputeWorkgroupsPerDimension;
    expect(runtime().linearGrid(0)).toEqual([1, 1]);
    expect(runtime().linearGrid(1)).toEqual([1, 1]);
    expect(runtime().linearGrid(limit)).toEqual([limit, 1]);
    for (const count of [limit + 1, 3 * limit - 1, 5_000_011]) {
      const [x, y] = runtime().linearGrid(count);
      expect(x).toBeLessThanOrEqual(limit);
      expect(x * y).toBeGreaterThanOrEqual(count);
      expect(x * y - count, 'less than one row is idle').toBeLessThan(Math.max(x, y));
    }
  });

  it('reaches every element of an array that needs more workgroups than one dimension has', () =>
    runtime().scope(async () => {
      const size = 64 * runtime().device.limits.maxComputeWorkgroupsPerDimension + 77;
      const x = runtime().upload(
        Float32Array.from({ length: size }, (_, i) => i % 1000),
        [size],
      );
      const y = runtime().empty([size]);
      double(runtime(), x, y);
      const values = await runtime().read(y);
      expect(values.findIndex((value, i) => value !== 2 * (i % 1000))).toBe(-1);
    }));

  it('refuses dispatches that do not fit, naming kernel, shapes and arrays, and stays usable', () =>
    runtime().scope(async () => {
      const [x, y] = [runtime().upload(Float32Array.of(4), [1]), runtime().empty([1])];
      const pair = (given: { x: GpuArray; y: GpuArray }, workgroups: readonly [number, number?]) =>
        runtime().run({
          kernel: 'pair',
          wgsl: [
            'var<storage, read> x: array<f32>;\nvar<storage, read_write> y: array<f32>;\n' +
              '@compute @workgroup_size(N) fn main() { y[0] = x[0]; }',
          ],
          constants: { N: 1 },
          arrays: given,
          workgroups,
          cost: free,
        });
      expect(() => pair({ x, y: x }, [1])).toThrow(
        /kernel pair \(N=1\): bindings 0 \(f32\[1\]\) and 1 \(f32\[1\]\) share a buffer that is written/,
      );
      for (const workgroups of [[0], [1, 0], [65_536_000], [Number.NaN]] as [number, number?][]) {
        expect(() => pair({ x, y }, workgroups)).toThrow(ShapeError);
      }
      pair({ x, y }, [1]);
      expect(await runtime().read(y)).toEqual(Float32Array.of(4));
    }));
});
