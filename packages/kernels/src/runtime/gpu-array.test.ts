import { describe, expect, it } from 'vitest';
import { testRandom } from '../testing/random.js';
import { gatherRows, hostView } from '../testing/views.js';
import { ShapeError } from './errors.js';
import { GpuArray, elementBytes, product, type RowLayout } from './gpu-array.js';

/** Every element of a view in row-major order, by its strides. */
function elements({ shape, strides, offset }: GpuArray): number[] {
  return Array.from({ length: product(shape) }, (_, index) => {
    let at = offset;
    let rest = index;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return at;
  });
}

/** The same elements as the row layout addresses them. */
function addressed(layout: RowLayout, length: number): number[] {
  return [
    ...gatherRows(
      Float64Array.from({ length }, (_, i) => i),
      layout,
    ),
  ];
}

describe('GpuArray', () => {
  const tokens = hostView([2, 3, 5, 4]);

  it('knows its size in elements and bytes', () => {
    expect(tokens.size).toBe(120);
    expect(tokens.sizeBytes).toBe(480);
    expect(['f32', 'f16', 'u32', 'i32', 'u8'].map((dtype) => elementBytes(dtype as 'f32'))).toEqual([
      4, 2, 4, 4, 1,
    ]);
    expect(hostView([]).size).toBe(1);
  });

  it('slices any axis, counted from either end, sharing memory', () => {
    const locals = tokens.slice(2, 1, 5);
    expect(locals.shape).toEqual([2, 3, 4, 4]);
    expect(locals.storage).toBe(tokens.storage);
    expect(elements(locals).slice(0, 5)).toEqual([4, 5, 6, 7, 8]);
    expect(elements(tokens.slice(-1, 2, 3)).slice(0, 3)).toEqual([2, 6, 10]);
    expect(elements(locals.slice(2, 1, 2)).slice(0, 4)).toEqual([8, 9, 10, 11]);
  });

  it.each([
    [2, 0, 6],
    [2, -1, 2],
    [2, 3, 3],
    [4, 0, 1],
    [-5, 0, 1],
  ])('refuses slice axis %i, %i … %i', (axis, start, end) =>
    expect(() => tokens.slice(axis, start, end)).toThrow(
      new ShapeError(`slice ${start}:${end} of axis ${axis} lies outside shape [2, 3, 5, 4]`),
    ),
  );

  it('reshapes what is contiguous, a slice of the first axis included', () => {
    expect(tokens.slice(0, 1, 2).reshape([15, 4]).offset).toBe(60);
    expect(() => tokens.reshape([7, 17])).toThrow('element counts differ');
    const others = [
      [80, 1.5],
      [-2, -60],
      [120, 0],
    ];
    for (const shape of others) {
      expect(() => tokens.reshape(shape)).toThrow(`[${shape.join(', ')}]: extents must be positive integers`);
    }
    expect(() => tokens.slice(2, 1, 5).reshape([24, 4])).toThrow('strided view [2, 3, 4, 4] without a copy');
  });

  it('takes axes of extent 1 for contiguous whatever their stride', () => {
    expect(tokens.isContiguous).toBe(true);
    expect(tokens.slice(2, 0, 1).isContiguous).toBe(false);
    expect(tokens.slice(0, 0, 1).slice(1, 0, 1).slice(2, 2, 3).isContiguous).toBe(true);
  });

  it('names dtype, shape and strides in messages', () => {
    expect(String(tokens)).toBe('f32[2, 3, 5, 4]');
    expect(String(tokens.slice(2, 1, 5))).toBe('f32[2, 3, 4, 4] strides 60×20×4×1 offset 4');
  });
});

describe('rows()', () => {
  const tokens = hostView([2, 3, 5, 4]);

  it('addresses the whole buffer, the representative rows and the local rows of each region', () => {
    expect(tokens.rows()).toMatchObject({ rows: 30, columns: 4, offset: 0, inner: 30, innerStride: 4 });
    expect(tokens.slice(2, 0, 1).rows()).toMatchObject({ rows: 6, inner: 6, innerStride: 20, offset: 0 });
    expect(tokens.slice(2, 1, 5).rows()).toEqual({
      rows: 24,
      columns: 4,
      offset: 4,
      inner: 4,
      innerStride: 4,
      outerStride: 20,
    });
  });

  it('addresses the elements of random views as their strides do', () => {
    const random = testRandom(3);
    for (let i = 0; i < 200; i++) {
      let view = hostView(Array.from({ length: 1 + random.integer(4) }, () => 1 + random.integer(5)));
      const { size } = view;
      for (let cut = 0; cut < 2; cut++) {
        const axis = random.integer(view.shape.length);
        const start = random.integer(view.shape[axis]!);
        view = view.slice(axis, start, start + 1 + random.integer(view.shape[axis]! - start));
      }
      let layout: RowLayout;
      try {
        layout = view.rows();
      } catch (error) {
        // Two strides cannot address three separate levels; nothing else may be refused.
        expect(error).toBeInstanceOf(ShapeError);
        expect(view.shape.filter((extent, axis) => extent > 1 && axis < view.shape.length - 1).length).toBe(
          3,
        );
        continue;
      }
      expect(addressed(layout, size), String(view)).toEqual(elements(view));
    }
  });

  it('repeats rows of a broadcast', () => {
    const repeated = hostView([3, 2]).broadcastLeading(2, 2);
    expect(addressed(repeated.rows(), 6)).toEqual(
      [0, 1, 2, 3, 4, 5].concat(...[1, 2, 3].map(() => [0, 1, 2, 3, 4, 5])),
    );
  });

  it('refuses a last axis with gaps and rows on three levels', () => {
    const columns = new GpuArray(tokens.storage, 'f32', [2, 2], [4, 2]);
    expect(() => columns.rows()).toThrow('last axis of [2, 2] is not contiguous');
    const deep = hostView([3, 3, 3, 2]).slice(1, 0, 2).slice(2, 0, 2);
    expect(() => deep.rows()).toThrow('needs more than two row strides');
  });
});
