import { describe, expect, it } from 'vitest';
import { useRuntime } from '../testing/test-runtime.js';
import { Arena } from './buffer-pool.js';
import { double } from './double.testing.js';
import { ShapeError } from './errors.js';

const COUNT = 64;

describe('a readback', () => {
  const runtime = useRuntime();
  const counting = () => Float32Array.from({ length: COUNT }, (_, i) => i);

  it('reads arrays and parts of arrays again and again, each as it was when it was asked for', async () => {
    const readback = runtime().readback(COUNT, 'test');
    const x = runtime().upload(counting(), [COUNT]);
    const whole = readback.read(x);
    runtime().write(x, new Float32Array(COUNT).fill(-1));
    expect(await whole).toEqual(counting());
    readback.release();
    runtime().write(x, counting());
    expect([...(await readback.read(x.slice(0, 60, 63)))]).toEqual([60, 61, 62]);
    readback.release();
    readback.destroy();
    runtime().release(x);
  });

  it('refuses what it has no room for, and what is not f32', async () => {
    const readback = runtime().readback(COUNT, 'test');
    const long = runtime().empty([COUNT + 1]);
    const whole = runtime().empty([COUNT], 'u32');
    await expect(readback.read(long)).rejects.toThrow(ShapeError);
    await expect(readback.read(whole)).rejects.toThrow(ShapeError);
    readback.destroy();
    for (const array of [long, whole]) runtime().release(array);
  });

  it('finds in the middle of a recorded step what the kernels before have made, at every replay', async () => {
    const arena = new Arena();
    const readback = runtime().readback(COUNT, 'test');
    const x = runtime().upload(counting(), [COUNT]);
    const out = runtime().empty([COUNT]);
    let middle: Promise<Float32Array> | undefined;
    const { recording } = runtime().record(arena, () => {
      double(runtime(), x, out);
      runtime().act(() => {
        middle = readback.read(out);
      });
      const twice = runtime().empty([COUNT]);
      double(runtime(), out, twice);
      runtime().copy(twice, out);
    });
    for (const factor of [1, 3]) {
      if (factor > 1) {
        runtime().write(
          x,
          counting().map((value) => factor * value),
        );
        runtime().replay(recording);
      }
      expect(await middle).toEqual(counting().map((value) => 2 * factor * value));
      readback.release();
      expect(await runtime().read(out)).toEqual(counting().map((value) => 4 * factor * value));
    }
    expect(recording.dispatches).toBe(2);
    readback.destroy();
    for (const array of [x, out]) runtime().release(array);
    runtime().pool.trim(arena);
  });
});
