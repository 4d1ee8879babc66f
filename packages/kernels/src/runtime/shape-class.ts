/**
 * A class of shapes within which a device's fastest variant is taken to be the same: what a kernel's time depends on,
 * each extent rounded up to a power of two, and a form (such as which operand is transposed) where there are several.
 * Which extents those are is the kernel's to say:
 *
 * | kernel                     | extents                                        | forms          |
 * | -------------------------- | ---------------------------------------------- | -------------- |
 * | matmul                     | M of all groups, N, K                          | NN, NT, TN     |
 * | attention and its backward | groups × heads, queries, keys, head dimension  | one            |
 * | layer norm, cross entropy  | rows, columns                                  | one            |
 * | sums, losses               | blocks, elements of a block                    | one            |
 *
 * Packed into one number, so that asking for a variant makes nothing that must be collected.
 */
export type ShapeClass = number;

const BITS = 6;
const MASK = (1 << BITS) - 1;
const EXTENTS = 4;
const MOST_FORMS = 8;
const LARGEST_EXPONENT = 32;

/** The class of a shape by up to four extents, whole numbers from 1 to 2³², and a form from 0 to 7. */
export function shapeClass(form: number, first: number, second = 1, third = 1, fourth = 1): ShapeClass {
  const low = exponent(first) | (exponent(second) << BITS);
  const high = exponent(third) | (exponent(fourth) << BITS);
  return low | (high << (2 * BITS)) | (form << (EXTENTS * BITS));
}

/** Smallest e with extent ≤ 2^e. */
function exponent(extent: number): number {
  return extent <= 1 ? 0 : 32 - Math.clz32(extent - 1);
}

/** A class as it is stored and shown: largest extents, four of them, and the form. */
export interface ShapeClassParts {
  readonly extents: readonly number[];
  readonly form: number;
}

/** The extents and the form of a class. */
export function shapeClassParts(shape: ShapeClass): ShapeClassParts {
  const extents = Array.from({ length: EXTENTS }, (_, i) => 2 ** ((shape >> (i * BITS)) & MASK));
  return { extents, form: shape >> (EXTENTS * BITS) };
}

/** The class with these parts; undefined where they are none: each extent is a power of two up to 2³². */
export function shapeClassOf({ extents, form }: ShapeClassParts): ShapeClass | undefined {
  if (extents.length !== EXTENTS || !Number.isInteger(form) || form < 0 || form >= MOST_FORMS)
    return undefined;
  let shape = form << (EXTENTS * BITS);
  for (const [i, extent] of extents.entries()) {
    const e = Math.log2(extent);
    if (!Number.isInteger(e) || e < 0 || e > LARGEST_EXPONENT) return undefined;
    shape |= e << (i * BITS);
  }
  return shape;
}

/** How far two classes are apart: doublings over all extents; infinite between two forms. */
export function shapeDistance(a: ShapeClass, b: ShapeClass): number {
  if (a >> (EXTENTS * BITS) !== b >> (EXTENTS * BITS)) return Infinity;
  let distance = 0;
  for (let shift = 0; shift < EXTENTS * BITS; shift += BITS) {
    distance += Math.abs(((a >> shift) & MASK) - ((b >> shift) & MASK));
  }
  return distance;
}
