/**
 * RandAugment as `rand-m7-n4-mstd0.5-inc1`: 4 operations out of 15, with replacement, each applied with probability
 * ½ at a magnitude near 7 of 10.
 *
 * Source: E. D. Cubuk, B. Zoph, J. Shlens, Q. V. Le, “RandAugment: practical automated data augmentation with a
 * reduced search space”, 2020; operations and their ranges are those of the published fine-tuning recipes.
 */
import { rotate, shearX, shearY, translateX, translateY } from './affine';
import type { RandomNumbers } from './random';
import { checkImage, type RgbImage } from './rgb-image';
import {
  autoContrast,
  brightness,
  colour,
  contrast,
  equalize,
  invert,
  posterize,
  sharpness,
  solarize,
  solarizeAdd,
} from './tone';

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

interface Operation {
  /** From l = magnitude / 10, and the sign +1 or −1, to the operation's argument. */
  readonly argument?: (l: number, sign: number) => number;
  readonly apply: (image: RgbImage, argument: number) => RgbImage;
}

const enhance = (l: number, sign: number) => 1 + sign * 0.9 * l;
const signed = (range: number) => (l: number, sign: number) => sign * range * l;

const OPERATIONS = {
  autoContrast: { apply: autoContrast },
  equalize: { apply: equalize },
  invert: { apply: invert },
  rotate: { argument: signed(30), apply: rotate },
  posterize: { argument: (l) => 4 - Math.trunc(4 * l), apply: posterize },
  solarize: { argument: (l) => 256 - Math.trunc(256 * l), apply: solarize },
  solarizeAdd: { argument: (l) => Math.trunc(110 * l), apply: solarizeAdd },
  colour: { argument: enhance, apply: colour },
  contrast: { argument: enhance, apply: contrast },
  brightness: { argument: enhance, apply: brightness },
  sharpness: { argument: enhance, apply: sharpness },
  shearX: { argument: signed(0.3), apply: shearX },
  shearY: { argument: signed(0.3), apply: shearY },
  translateX: { argument: signed(0.45), apply: translateX },
  translateY: { argument: signed(0.45), apply: translateY },
} satisfies Record<string, Operation>;

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

/** The image after one operation; the input is left alone. Throws a RangeError where its argument is missing. */
export function applyAugmentOperation(image: RgbImage, { name, argument }: AugmentOperation): RgbImage {
  const operation: Operation = OPERATIONS[name];
  if (operation.argument === undefined) return operation.apply(image, 0);
  if (argument === undefined) throw new RangeError(`${name} needs an argument.`);
  return operation.apply(image, argument);
}

/**
 * Applies the same operations to every frame of a clip.
 *
 * @param frames [T, height, width, 3].
 * @returns a new array of the same shape.
 */
export function randAugmentClip(
  frames: Uint8Array,
  width: number,
  height: number,
  operations: readonly AugmentOperation[],
): Uint8Array {
  const frameBytes = width * height * 3;
  const result = new Uint8Array(frames.length);
  for (let offset = 0; offset < frames.length; offset += frameBytes) {
    let image: RgbImage = { pixels: frames.subarray(offset, offset + frameBytes), width, height };
    checkImage(image);
    for (const operation of operations) image = applyAugmentOperation(image, operation);
    result.set(image.pixels, offset);
  }
  return result;
}
