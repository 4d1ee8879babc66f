import { describe, expect, it } from 'vitest';
import { shapeClass, shapeClassOf, shapeClassParts, shapeDistance } from './shape-class.js';

describe('shape classes', () => {
  it('round every extent up to a power of two, and keep forms apart', () => {
    expect(shapeClassParts(shapeClass(2, 808, 512, 513, 1))).toEqual({
      extents: [1024, 512, 1024, 1],
      form: 2,
    });
    expect(shapeClass(0, 808, 512)).toBe(shapeClass(0, 513, 512, 1, 1));
    expect(shapeClass(0, 808, 512)).not.toBe(shapeClass(1, 808, 512));
    expect(shapeClass(0, 808, 512)).not.toBe(shapeClass(0, 808, 514));
  });

  it.each([
    [[1, 1, 1, 1], 0],
    [[2 ** 32, 1, 2 ** 31, 2], 7],
    [[2, 2 ** 32, 4096, 2 ** 32], 1],
  ])('come back from their parts: %j, form %i', (extents, form) => {
    const [a, b, c, d] = extents as [number, number, number, number];
    const shape = shapeClass(form, a, b, c, d);
    expect(shapeClassParts(shape)).toEqual({ extents, form });
    expect(shapeClassOf({ extents, form })).toBe(shape);
  });

  it.each([
    [[3, 1, 1, 1], 0],
    [[0, 1, 1, 1], 0],
    [[0.5, 1, 1, 1], 0],
    [[2 ** 33, 1, 1, 1], 0],
    [[1, 1, 1], 0],
    [[1, 1, 1, 1], 8],
    [[1, 1, 1, 1], 0.5],
    [[NaN, 1, 1, 1], 0],
  ])('are not made from %j, form %d', (extents, form) =>
    expect(shapeClassOf({ extents, form })).toBeUndefined(),
  );

  it('are as far apart as their extents, in doublings', () => {
    expect(shapeDistance(shapeClass(1, 8, 512, 512), shapeClass(1, 32, 512, 128))).toBe(4);
    expect(shapeDistance(shapeClass(1, 8), shapeClass(1, 8))).toBe(0);
    expect(shapeDistance(shapeClass(1, 8), shapeClass(2, 8))).toBe(Infinity);
  });
});
