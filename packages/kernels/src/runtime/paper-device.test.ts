import { describe, expect, it } from 'vitest';
import { matmul } from '../matmul/matmul.js';
import { useRuntime } from '../testing/test-runtime.js';
import { likeRuntime, PaperReadError, paperRuntime } from './paper-device.js';
import type { Runtime } from './runtime.js';

/** Products of two sizes with memory of their own, in scopes. */
function work(runtime: Runtime): void {
  for (const rows of [8, 40, 8]) {
    runtime.scope(() => {
      const a = runtime.upload(new Float32Array(rows * 64), [rows, 64]);
      const b = runtime.upload(new Float32Array(64 * 32), [64, 32]);
      const out = runtime.empty([rows, 32]);
      runtime.clear(out);
      matmul(runtime, { a, b, out });
    });
  }
}

describe('a runtime on paper', () => {
  const runtime = useRuntime();

  it('counts costs, dispatches and memory as the device that it is like', async () => {
    const real = runtime();
    real.poisonAllocations = false;
    const paper = paperRuntime(likeRuntime(real));
    for (const each of [real, paper]) {
      work(each);
      await each.synchronize();
    }
    expect([...paper.ledger.entries()]).toEqual([...real.ledger.entries()]);
    expect(paper.counters).toEqual(real.counters);
    expect(paper.pool.peakBytes).toBe(real.pool.peakBytes);
    expect(paper.pool.reservedBytes).toBe(real.pool.reservedBytes);
    expect(paper.device.limits.maxBufferSize).toBe(real.device.limits.maxBufferSize);
    expect(paper.adapter.features).toEqual(
      real.adapter.features.filter((feature) => feature !== 'timestamp-query'),
    );
    expect(paper.startProfiling()).toBe(false);
  });

  it('holds what no machine could', () => {
    const paper = paperRuntime();
    for (let i = 0; i < 1024; i++) paper.empty([2 ** 29]);
    expect(paper.pool.liveBytes).toBe(2 ** 41);
  });

  it('refuses to be read, unless zeros will do', async () => {
    const paper = paperRuntime();
    await expect(paper.read(paper.upload(new Float32Array([1, 2]), [2]))).rejects.toThrow(PaperReadError);
    const zeros = paperRuntime({ reads: 'zeros' });
    expect(await zeros.read(zeros.upload(new Float32Array([1, 2]), [2]))).toEqual(new Float32Array(2));
  });
});
