/**
 * RandAugment as `rand-m7-n4-mstd0.5-inc1`: 4 operations out of 15, with replacement, each applied with probability
 * ½ at a magnitude near 7 of 10.
 *
 * Source: E. D. Cubuk, B. Zoph, J. Shlens, Q. V. Le, “RandAugment: practical automated data augmentation with a
 * reduced search space”, 2020; operations and their ranges are those of the published fine-tuning recipes.
 */
import { rotation, type AffineMatrix } from './affine-maps.js';
import type { RandomNumbers } from './random.js';

export interface RandAugmentOptions {
  /** Mean magnitude, 0 … 10; default 7. */
  magnitude?: number;
  /** Standard deviation of the magnitude; default 0.5. */
  magnitudeDeviation?: number;
  /** Operations drawn for a clip; default 4. */
  operations?: number;
  /** Probability of each of them to be applied; default ½. */
  probability?: number;
}

/** How an operation is done to the frames of a clip. */
export type OperationMethod =
  /** Each level of a channel becomes another. */
  | { readonly kind: 'levels'; readonly level: (of: number, argument: number) => number }
  /** The same, by what levels the frame has. */
  | { readonly kind: 'autoContrast' | 'equalize' | 'contrast' }
  /** Each pixel is blended with its luma, or with the mean of its neighbourhood, by the argument. */
  | { readonly kind: 'colour' | 'sharpness' }
  | {
      readonly kind: 'map';
      readonly matrix: (argument: number, width: number, height: number) => AffineMatrix;
    };

interface Operation {
  /** From l = magnitude / 10, and the sign +1 or −1, to the operation's argument. */
  readonly argument?: (l: number, sign: number) => number;
  readonly method: OperationMethod;
}

const enhance = (l: number, sign: number) => 1 + sign * 0.9 * l;
const signed = (range: number) => (l: number, sign: number) => sign * range * l;

const levels = (level: (of: number, argument: number) => number) => ({ kind: 'levels', level }) as const;
const map = (matrix: (argument: number, width: number, height: number) => AffineMatrix) =>
  ({ kind: 'map', matrix }) as const;
const { fround } = Math;

const OPERATIONS = {
  /** Stretches each channel to the full range. */
  autoContrast: { method: { kind: 'autoContrast' } },
  /** Equalises the histogram of each channel. */
  equalize: { method: { kind: 'equalize' } },
  invert: { method: levels((level) => 255 - level) },
  /** Turns about the middle, counter-clockwise, by degrees. */
  rotate: { argument: signed(30), method: map(rotation) },
  /** Keeps that many of the highest bits. */
  posterize: {
    argument: (l) => 4 - Math.trunc(4 * l),
    method: levels((level, bits) => level & ~(2 ** (8 - bits) - 1)),
  },
  /** Inverts from a threshold on. */
  solarize: {
    argument: (l) => 256 - Math.trunc(256 * l),
    method: levels((level, threshold) => (level < threshold ? level : 255 - level)),
  },
  /** Adds to what is below 128. */
  solarizeAdd: {
    argument: (l) => Math.trunc(110 * l),
    method: levels((level, added) => (level < 128 ? Math.min(255, level + added) : level)),
  },
  // From grey, mean grey, black or a smoothed image (0) to the image (1), and beyond.
  colour: { argument: enhance, method: { kind: 'colour' } },
  contrast: { argument: enhance, method: { kind: 'contrast' } },
  brightness: {
    argument: enhance,
    method: levels((level, factor) => Math.min(Math.max(Math.trunc(fround(fround(factor) * level)), 0), 255)),
  },
  sharpness: { argument: enhance, method: { kind: 'sharpness' } },
  /** Shifts each row by a share of its height in the image, or each column by one of its place. */
  shearX: { argument: signed(0.3), method: map((factor) => [1, factor, 0, 0, 1, 0]) },
  shearY: { argument: signed(0.3), method: map((factor) => [1, 0, 0, factor, 1, 0]) },
  /** Moves to the left, or up, by a fraction of the size. */
  translateX: { argument: signed(0.45), method: map((share, width) => [1, 0, share * width, 0, 1, 0]) },
  translateY: {
    argument: signed(0.45),
    method: map((share, _, height) => [1, 0, 0, 0, 1, share * height]),
  },
} satisfies Record<string, Operation>;

/** An operation that RandAugment can draw. */
export type AugmentOperationName = keyof typeof OPERATIONS;

/** The operations, in the order in which they are drawn. */
export const AUGMENT_OPERATIONS = Object.keys(OPERATIONS) as readonly AugmentOperationName[];

const MAXIMUM_MAGNITUDE = 10;

/** One drawn operation. `argument` is in the operation's own unit (degrees, bits, a factor), absent where it has none. */
export interface AugmentOperation {
  readonly name: AugmentOperationName;
  readonly argument?: number;
}

/**
 * An operation at a magnitude.
 *
 * @param magnitude 0 … 10.
 * @param sign the direction of operations that have two; of no matter to others.
 */
export function augmentOperation(
  name: AugmentOperationName,
  magnitude: number,
  sign: 1 | -1 = 1,
): AugmentOperation {
  const { argument }: Operation = OPERATIONS[name];
  return argument === undefined
    ? { name }
    : { name, argument: argument(magnitude / MAXIMUM_MAGNITUDE, sign) };
}

/**
 * Draws the operations of a clip. Every one drawn uses up the same random numbers, whether it is applied or not.
 *
 * @returns those to be applied, in their order.
 * @throws RangeError for options out of range.
 */
export function drawRandAugment(
  random: RandomNumbers,
  { magnitude = 7, magnitudeDeviation = 0.5, operations = 4, probability = 0.5 }: RandAugmentOptions = {},
): AugmentOperation[] {
  if (!(magnitude >= 0 && magnitude <= MAXIMUM_MAGNITUDE)) {
    throw new RangeError(`magnitude is ${magnitude}: give a number from 0 to ${MAXIMUM_MAGNITUDE}.`);
  }
  if (!(magnitudeDeviation >= 0))
    throw new RangeError(`magnitudeDeviation is ${magnitudeDeviation}: below 0.`);
  if (!Number.isInteger(operations) || operations < 0) {
    throw new RangeError(`operations is ${operations}: not a whole number of 0 or more.`);
  }
  if (!(probability >= 0 && probability <= 1)) {
    throw new RangeError(`probability is ${probability}: not within 0 and 1.`);
  }
  const drawn = Array.from({ length: operations }, () => {
    const name = AUGMENT_OPERATIONS[random.integer(AUGMENT_OPERATIONS.length)]!;
    const applied = random.uniform() < probability;
    const level = magnitude + magnitudeDeviation * random.normal();
    const sign = random.uniform() < 0.5 ? 1 : -1;
    return {
      applied,
      operation: augmentOperation(name, Math.min(Math.max(level, 0), MAXIMUM_MAGNITUDE), sign),
    };
  });
  return drawn.filter(({ applied }) => applied).map(({ operation }) => operation);
}

/**
 * How an operation is done, and its argument, 0 where it has none.
 *
 * @throws RangeError where that is missing
 */
export function methodOf({ name, argument }: AugmentOperation): {
  method: OperationMethod;
  argument: number;
} {
  const operation: Operation = OPERATIONS[name];
  if (operation.argument !== undefined && argument === undefined) {
    throw new RangeError(`${name} needs an argument.`);
  }
  return { method: operation.method, argument: argument ?? 0 };
}
