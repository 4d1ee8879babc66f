import type { Random } from '@tubelet/kernels/lab';
import type { Shape } from './operation.js';

/** A whole number from `least` to `most`. */
export function whole(random: Random, least: number, most: number): number {
  return least + random.integer(most - least + 1);
}

/** So many extents of 1 to `most`. */
export function extents(random: Random, rank: number, most = 5): number[] {
  return Array.from({ length: rank }, () => whole(random, 1, most));
}

/** Two or more shapes that broadcast to one another: each lacks leading axes of it, and has extents of 1. */
export function broadcasting(random: Random, count: number): Shape[] {
  const full = extents(random, whole(random, 1, 4));
  return Array.from({ length: count }, () =>
    full.slice(random.integer(full.length)).map((extent) => (random.integer(3) === 0 ? 1 : extent)),
  );
}

/** Some of the axes of a shape, at least one. */
export function someAxes(random: Random, shape: Shape): number[] {
  const axes = shape.map((_, axis) => axis).filter(() => random.integer(2) === 1);
  return axes.length > 0 ? axes : [random.integer(shape.length)];
}

/** So many examples of what `make` gives. */
export function several<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}
