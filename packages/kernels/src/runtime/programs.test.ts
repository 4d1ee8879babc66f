import { describe, expect, it } from 'vitest';
import { useRuntime } from '../testing/test-runtime.js';
import { double } from './double.testing.js';
import { KernelValidationError } from './errors.js';
import { likeRuntime, paperRuntime } from './paper-device.js';
import type { KernelCall } from './program.js';
import { Runtime } from './runtime.js';
import { f32 } from './wgsl.js';

const WGSL = `
var<storage, read> x: array<f32>;
#if y
var<storage, read> y: array<f32>;
#end
var<storage, read_write> out: array<f32>;
@compute @workgroup_size(1)
fn main() {
  out[0] = x[X_AT] * FACTOR * f32(REPEATS);
#if y
  out[0] += y[0];
#end
}`;

describe('programs', () => {
  const runtime = useRuntime();

  /** The value of the kernel above on x = [1, 2] and y = [10], and how many programs were made for it. */
  async function run(call: Pick<KernelCall, 'constants' | 'data'> & { kernel?: string }, withY = false) {
    const before = runtime().counters.pipelinesCreated;
    return runtime().scope(async () => {
      const x = runtime().upload(Float32Array.of(1, 2), [2]);
      const y = withY ? runtime().upload(Float32Array.of(10), [1]) : undefined;
      const out = runtime().empty([1]);
      const cost = { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 };
      runtime().run({ kernel: 'keyed', wgsl: [WGSL], ...call, arrays: { x, y, out }, workgroups: [1], cost });
      const [value] = await runtime().read(out);
      return { value, made: runtime().counters.pipelinesCreated - before };
    });
  }

  it('are one for all data, and one for each set of constants and arrays', async () => {
    const [constants, data] = [{ REPEATS: 1 }, { X_AT: 0, FACTOR: f32(3) }];
    expect(await run({ constants, data })).toEqual({ value: 3, made: 1 });
    expect(await run({ constants, data: { X_AT: 1, FACTOR: f32(-0.5) } })).toEqual({ value: -1, made: 0 });
    expect(await run({ constants: { REPEATS: 2 }, data })).toEqual({ value: 6, made: 1 });
    expect(await run({ constants, data }, true)).toEqual({ value: 13, made: 1 });
    // The same names in other roles.
    expect(await run({ data: { X_AT: 1, FACTOR: f32(2), REPEATS: 4 } })).toEqual({ value: 16, made: 1 });
    expect(await run({ constants, data })).toEqual({ value: 3, made: 0 });
  });

  it('are one for kernels of the same text, which keep their names', async () => {
    const call = { constants: { REPEATS: 5 }, data: { X_AT: 0, FACTOR: f32(1) } };
    expect(await run({ ...call, kernel: 'first-name' })).toEqual({ value: 5, made: 1 });
    expect(await run({ ...call, kernel: 'other-name' })).toEqual({ value: 5, made: 0 });
    const entries = runtime().ledger.entries();
    expect([entries.get('first-name')?.calls, entries.get('other-name')?.calls]).toEqual([1, 1]);
  });

  it('refuse numbers that a kernel cannot take', async () => {
    await expect(run({ constants: { REPEATS: 1 }, data: { X_AT: -1, FACTOR: f32(1) } })).rejects.toThrow(
      'X_AT = -1',
    );
    await expect(run({ constants: { REPEATS: 1 }, data: { X_AT: 0, FACTOR: f32(NaN) } })).rejects.toThrow(
      'finite',
    );
  });

  it('are compiled ahead from what another runtime has used, and then made no more', async () => {
    const paper = paperRuntime(likeRuntime(runtime()));
    for (const kernel of ['ahead-1', 'ahead-2', 'ahead-3']) {
      double(paper, paper.empty([64]), paper.empty([64]), { kernel });
    }
    const before = runtime().counters.pipelinesCreated;
    const told: string[] = [];
    await runtime().compileLike(paper, (done, total) => told.push(`${done}/${total}`));
    expect(told).toEqual(['1/3', '2/3', '3/3']);
    expect(runtime().counters.pipelinesCreated - before).toBe(3);
    await runtime().scope(async () => {
      const x = runtime().upload(Float32Array.of(1, 2, 3), [3]);
      const y = runtime().empty([3]);
      double(runtime(), x, y, { kernel: 'ahead-2' });
      expect([...(await runtime().read(y))]).toEqual([2, 4, 6]);
    });
    expect(runtime().counters.pipelinesCreated - before).toBe(3);
    await runtime().compileLike(paper, () => expect.unreachable('nothing is left to compile'));
  });

  it('say which of them does not compile', async () => {
    const paper = paperRuntime(likeRuntime(runtime()));
    double(paper, paper.empty([64]), paper.empty([64]), { kernel: 'ahead-broken', broken: true });
    // A runtime of its own on the same device, whose failure stays with it.
    const other = new Runtime(runtime().device, runtime().adapter);
    const error = await other.compileLike(paper).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(KernelValidationError);
    expect(String(error)).toContain('ahead-broken');
  });
});
