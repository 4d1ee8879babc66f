import { describe, expect, it } from 'vitest';
import { useRuntime } from '../testing/test-runtime.js';
import { double } from './double.testing.js';
import { formatProfile, type KernelObserver, type KernelSpan } from './profiler.js';

describe('profiling', () => {
  const runtime = useRuntime();

  it('gives calls, time and rates of every kernel, over many submits', () =>
    runtime().scope(async () => {
      const [x, y] = [runtime().upload(new Float32Array(4096), [4096]), runtime().empty([4096])];
      const [small, out] = [runtime().upload(new Float32Array(64), [64]), runtime().empty([64])];
      double(runtime(), x, y, { kernel: 'before' });
      expect(runtime().startProfiling()).toBe(runtime().hasFeature('timestamp-query'));
      if (!runtime().hasFeature('timestamp-query')) return;
      for (let i = 0; i < 700; i++) double(runtime(), x, y);
      double(runtime(), small, out, { kernel: 'once' });
      const entries = await runtime().stopProfiling();
      double(runtime(), x, y, { kernel: 'after' });
      expect(entries.map(({ kernel, calls }) => [kernel, calls])).toEqual([
        ['double', 700],
        ['once', 1],
      ]);
      for (const { durationMs, calls, kernel, gigaflopsPerSecond, gigabytesPerSecond } of entries) {
        const size = kernel === 'once' ? 64 : 4096;
        expect(durationMs, kernel).toBeGreaterThan(0);
        expect(gigaflopsPerSecond * durationMs * 1e6).toBeCloseTo(size * calls, 0);
        expect(gigabytesPerSecond * durationMs * 1e6).toBeCloseTo(8 * size * calls, 0);
      }
      // Kernels profiled compute the same.
      runtime().write(x, new Float32Array(4096).fill(3));
      double(runtime(), x, y);
      expect((await runtime().read(y))[4095]).toBe(6);
    }));

  it('tells when kernels ran, in order', () =>
    runtime().scope(async () => {
      const [x, y] = [runtime().upload(new Float32Array(64), [64]), runtime().empty([64])];
      const seen: KernelSpan[] = [];
      const startedMs = performance.now();
      const observe: KernelObserver = (spans, submittedMs) => {
        expect(submittedMs).toBeGreaterThanOrEqual(startedMs);
        seen.push(...spans);
      };
      if (!runtime().startProfiling(observe)) return;
      for (let i = 0; i < 20; i++) double(runtime(), x, y, { kernel: i === 0 ? 'first' : 'double' });
      await runtime().stopProfiling();
      expect(seen.map(({ kernel }) => kernel)).toEqual(['first', ...Array<string>(19).fill('double')]);
      for (const { startMs, endMs } of seen) expect(endMs).toBeGreaterThanOrEqual(startMs);
    }));

  it('starts anew, and is empty when it was never started', () =>
    runtime().scope(async () => {
      expect(await runtime().stopProfiling()).toEqual([]);
      const [x, y] = [runtime().upload(new Float32Array(64), [64]), runtime().empty([64])];
      if (!runtime().startProfiling()) return;
      double(runtime(), x, y);
      runtime().startProfiling();
      double(runtime(), x, y);
      const entries = await runtime().stopProfiling();
      expect(entries.map(({ calls }) => calls)).toEqual([1]);
    }));
});

it('prints a table that adds up', () => {
  const table = formatProfile([
    { kernel: 'matmul', calls: 12, durationMs: 30, gigaflopsPerSecond: 12.345, gigabytesPerSecond: 1.5 },
    { kernel: 'gelu', calls: 2, durationMs: 10, gigaflopsPerSecond: 0.5, gigabytesPerSecond: 4 },
  ]);
  const lines = table.split('\n');
  expect(lines[0]!.trim().split(/\s{2,}/)).toEqual([
    'kernel',
    'calls',
    'time ms',
    'share',
    'GFLOP/s',
    'GB/s',
  ]);
  expect(lines[1]!.trim().split(/\s{2,}/)).toEqual(['matmul', '12', '30.00', '75.0 %', '12.35', '1.50']);
  expect(lines[3]!.trim().split(/\s{2,}/)).toEqual(['total', '40.00']);
  expect(new Set(lines.slice(0, 3).map(({ length }) => length)).size, 'columns are aligned').toBe(1);
});
