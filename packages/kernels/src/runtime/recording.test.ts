import { describe, expect, it } from 'vitest';
import { useRuntime } from '../testing/test-runtime.js';
import { Arena } from './buffer-pool.js';
import { double } from './double.testing.js';
import { RecordingError } from './errors.js';
import type { GpuArray } from './gpu-array.js';

describe('recordings', () => {
  const runtime = useRuntime();
  const COUNT = 64;
  const filled = (value: number) => new Float32Array(COUNT).fill(value);

  /** y = 2·2·x by way of the arena, then a copy to `out` whose first half is cleared. */
  function record(arena: Arena, x: GpuArray, out: GpuArray) {
    return runtime().record(arena, () => {
      const [once, twice] = [runtime().empty([COUNT]), runtime().empty([COUNT])];
      double(runtime(), x, once);
      double(runtime(), once, twice);
      runtime().copy(twice, out);
      runtime().clear(out.slice(0, 0, COUNT / 2));
      return twice;
    });
  }

  const expected = (value: number) => [...filled(0).slice(COUNT / 2), ...filled(4 * value).slice(COUNT / 2)];

  it('repeat kernels, copies and clears in their order on what the inputs hold now', async () => {
    const arena = new Arena();
    const x = runtime().upload(filled(1), [COUNT]);
    const out = runtime().empty([COUNT]);
    const { recording, result } = record(arena, x, out);
    expect([...(await runtime().read(out))]).toEqual(expected(1));
    const before = { ...runtime().counters };
    for (const value of [3, -5]) {
      runtime().write(x, filled(value));
      runtime().replay(recording);
      expect([...(await runtime().read(out))]).toEqual(expected(value));
      expect([...(await runtime().read(result))]).toEqual([...filled(4 * value)]);
    }
    const { dispatches, bindGroupsCreated } = runtime().counters;
    expect(dispatches - before.dispatches).toBe(4);
    expect(bindGroupsCreated).toBe(before.bindGroupsCreated);
    expect(recording.dispatches).toBe(2);
    runtime().release(x);
    runtime().release(out);
    runtime().pool.trim(arena);
  });

  it('add their costs to the ledger each time', () => {
    const arena = new Arena();
    const [x, out] = [runtime().empty([COUNT]), runtime().empty([COUNT])];
    const { recording } = record(arena, x, out);
    runtime().ledger.reset();
    runtime().replay(recording);
    runtime().replay(recording);
    const cost = { macs: 0, flops: 4 * COUNT, bytesRead: 16 * COUNT, bytesWritten: 16 * COUNT };
    expect(runtime().ledger.entries().get('double')).toEqual({ calls: 4, ...cost });
    runtime().release(x);
    runtime().release(out);
    runtime().pool.trim(arena);
  });

  it('are not overtaken by a later write to what they read', async () => {
    const arena = new Arena();
    const x = runtime().upload(filled(1), [COUNT]);
    const out = runtime().empty([COUNT]);
    const { recording } = record(arena, x, out);
    const first = runtime().read(out);
    runtime().replay(recording);
    runtime().write(x, filled(9));
    expect([...(await runtime().read(out))]).toEqual(expected(1));
    expect([...(await first)]).toEqual(expected(1));
    runtime().release(x);
    runtime().release(out);
    runtime().pool.trim(arena);
  });

  it('are handed over in parts when they are long', () => {
    const arena = new Arena();
    const [x, y] = [runtime().empty([COUNT]), runtime().empty([COUNT])];
    const { recording } = runtime().record(arena, () => {
      for (let i = 0; i < 600; i++) double(runtime(), x, y);
    });
    runtime().submit();
    const { submits } = runtime().counters;
    runtime().replay(recording);
    runtime().submit();
    expect(runtime().counters.submits - submits, '16, 256, 256 and 72 commands').toBe(4);
    runtime().release(x);
    runtime().release(y);
  });

  it('work in memory of their arena alone, which only a trim of the arena gives back', () => {
    const { pool } = runtime();
    const arena = new Arena();
    const [x, out] = [runtime().empty([COUNT]), runtime().empty([COUNT])];
    const { result } = record(arena, x, out);
    pool.trim();
    const { reservedBytes, liveBytes } = pool;
    const others = Array.from({ length: 4 }, () => runtime().empty([COUNT]));
    expect(others.some(({ storage }) => storage === result.storage)).toBe(false);
    for (const other of others) runtime().release(other);
    pool.trim();
    expect(pool.reservedBytes, 'what the arena has stays').toBe(reservedBytes);
    pool.trim(arena);
    expect(pool.reservedBytes).toBe(reservedBytes - 2 * 256);
    expect(pool.liveBytes).toBe(liveBytes);
    runtime().release(x);
    runtime().release(out);
  });

  it('give what is kept in an arena to everybody, once it is released', () => {
    const { pool } = runtime();
    pool.trim();
    const arena = new Arena();
    const kept = pool.within(arena, () => runtime().keep(runtime().empty([COUNT])));
    runtime().release(kept);
    const next = runtime().empty([COUNT]);
    expect(next.storage).toBe(kept.storage);
    runtime().release(next);
  });

  it('are not begun or replayed inside one another, nor made of what waits', () => {
    const arena = new Arena();
    const { recording } = runtime().record(arena, () => undefined);
    const nested = () => runtime().record(arena, () => runtime().record(arena, () => 1));
    expect(nested).toThrow(RecordingError);
    expect(() => runtime().record(arena, () => runtime().replay(recording))).toThrow('replay() inside');
    expect(() => runtime().record(arena, async () => Promise.resolve())).toThrow('cannot be asynchronous');
    expect(runtime().record(arena, () => 5).result, 'a failed one leaves nothing open').toBe(5);
  });

  it('find tables that were there before, and make none', async () => {
    const { pool } = runtime();
    const { liveBytes } = pool;
    const numbers = () => Uint32Array.of(3, 1, 4);
    const table = runtime().table('recordings: known', numbers);
    expect(new Uint32Array(await runtime().readBytes(table))).toEqual(numbers());
    const never = () => {
      throw new Error('a table was built twice');
    };
    const { result } = runtime().record(new Arena(), () => runtime().table('recordings: known', never));
    expect(result).toBe(table);
    expect(() => runtime().record(new Arena(), () => runtime().table('recordings: new', numbers))).toThrow(
      /table\(\) inside a recorded step/,
    );
    expect(pool.liveBytes).toBe(liveBytes);
  });
});
