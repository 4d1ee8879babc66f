import { describe, expect, it } from 'vitest';
import { useRuntime } from '../testing/test-runtime.js';
import { ReleaseError, ShapeError } from './errors.js';

describe('scopes', () => {
  const runtime = useRuntime();
  const live = () => runtime().pool.liveBytes;

  it('release what was made in them, inner before outer', () => {
    const before = live();
    runtime().scope(() => {
      runtime().empty([64]);
      runtime().scope(() => {
        runtime().empty([64]);
        expect(live()).toBe(before + 512);
      });
      expect(live()).toBe(before + 256);
    });
    expect(live()).toBe(before);
  });

  it('release when the body throws, and hand the error on', async () => {
    const before = live();
    const fail = () => {
      runtime().empty([64]);
      throw new Error('wrong turn');
    };
    expect(() => runtime().scope(fail)).toThrow('wrong turn');
    await expect(
      runtime().scope(async () => {
        await Promise.resolve();
        fail();
      }),
    ).rejects.toThrow('wrong turn');
    expect(live()).toBe(before);
  });

  it('stay open until a promise settles', async () => {
    const before = live();
    const value = await runtime().scope(async () => {
      const array = runtime().upload(Float32Array.of(5), [1]);
      const read = await runtime().read(array);
      expect(live()).toBe(before + 256);
      return read[0];
    });
    expect(value).toBe(5);
    expect(live()).toBe(before);
  });

  it('say so when asynchronous ones overlap instead of nesting', async () => {
    const before = live();
    let endInner!: () => void;
    let inner!: Promise<void>;
    const outer = runtime().scope(async () => {
      inner = runtime().scope(() => new Promise<void>((resolve) => (endInner = resolve)));
      await Promise.resolve();
    });
    await expect(outer).rejects.toThrow(ReleaseError);
    endInner();
    await inner;
    expect(live()).toBe(before);
  });

  it('do not release what was released by hand or kept, also from an outer scope', () => {
    const before = live();
    const kept = runtime().scope(() => {
      const array = runtime().empty([64]);
      runtime().release(runtime().empty([64]));
      return runtime().scope(() => {
        runtime().release(runtime().empty([64]));
        return runtime().keep(array);
      });
    });
    expect(live()).toBe(before + 256);
    runtime().release(kept.reshape([8, 8]));
    expect(live()).toBe(before);
  });

  it('hand an array that escapes to the scope around, or to nobody', () => {
    const before = live();
    const outermost = runtime().scope(() => {
      const inner = runtime().scope(() => {
        runtime().empty([64]);
        const array = runtime().allocations.escape(runtime().empty([64]));
        expect(runtime().allocations.isScoped(array)).toBe(true);
        return array;
      });
      expect(live()).toBe(before + 256);
      expect(runtime().allocations.isScoped(inner)).toBe(true);
      runtime().scope(() => runtime().allocations.escape(inner));
      expect(runtime().allocations.isScoped(inner), 'it was not made in the scope that it is to leave').toBe(
        true,
      );
      return runtime().allocations.escape(runtime().empty([64]));
    });
    expect(live()).toBe(before + 256);
    expect(runtime().allocations.isScoped(outermost)).toBe(false);
    runtime().release(outermost);
    expect(live()).toBe(before);
  });

  it('release nothing made outside', () => {
    const before = live();
    const outside = runtime().empty([64]);
    runtime().scope(() => undefined);
    expect(live()).toBe(before + 256);
    runtime().release(outside);
  });

  it.each([[[0]], [[3, -1]], [[2.5]], [[Number.NaN]]])('refuse shape %j', (shape) =>
    expect(() => runtime().empty(shape, 'f32', 'clip')).toThrow(
      new ShapeError(`clip: shape [${shape.join(', ')}] has an extent that is not a positive integer`),
    ),
  );

  it('give memory back when an upload does not fit', () => {
    const before = live();
    expect(() => runtime().upload(new Float32Array(3), [4])).toThrow(
      '12 bytes do not fill f32[4] (16 bytes)',
    );
    expect(live()).toBe(before);
  });
});
