/** What is done to a clip between the decoder and the model in fine-tuning, as it is drawn. */
import { PhiloxStream, type Noise } from '@tubelet/kernels';
import type { Box } from '../pixels/resize.js';
import { Purpose } from '../stream-purposes.js';
import {
  augmentOperation,
  drawRandAugment,
  type AugmentOperation,
  type RandAugmentOptions,
} from './rand-augment.js';
import { drawErasedBox, type RandomErasingOptions } from './random-erasing.js';
import { drawRandomCrop, type RandomCropOptions } from './random-resized-crop.js';

/** What names a clip's random numbers: the same key gives the same clip, whenever and wherever it is made. */
export interface ClipKey {
  readonly seed: number;
  readonly epoch: number;
  /** Which sample of the data set. */
  readonly sample: number;
}

/** Each part with the published recipes' values where nothing is given; `false` leaves it out. */
export interface TrainTransformOptions {
  readonly randAugment?: RandAugmentOptions | false;
  readonly crop?: RandomCropOptions | false;
  /** How often a clip is mirrored; default ½. */
  readonly flipProbability?: number;
  readonly erasing?: RandomErasingOptions | false;
}

/** What becomes of a clip, in this order; the same in all frames, but for the noise. */
export interface Augmentation {
  readonly operations: readonly AugmentOperation[];
  /** The part of the frames that is resized to the whole. */
  readonly crop: Box;
  readonly mirrored: boolean;
  /** The part that is replaced by normal noise, of `Purpose.erase`. */
  readonly noise?: Noise | undefined;
}

/**
 * Draws what becomes of a clip of square frames: RandAugment, random resized crop, mirroring, random erasing.
 *
 * @throws RangeError for options out of range.
 */
export function drawAugmentation(
  size: number,
  key: ClipKey,
  { randAugment = {}, crop = {}, flipProbability = 0.5, erasing = {} }: TrainTransformOptions = {},
): Augmentation {
  if (!(flipProbability >= 0 && flipProbability <= 1)) {
    throw new RangeError(`flipProbability is ${flipProbability}: not within 0 and 1.`);
  }
  const operations = randAugment
    ? drawRandAugment(new PhiloxStream({ ...key, purpose: Purpose.augment }), randAugment)
    : [];
  const geometry = new PhiloxStream({ ...key, purpose: Purpose.crop });
  // Drawn first: the crop uses a varying number of draws, and its options shall not decide what is mirrored.
  const mirrored = geometry.uniform() < flipProbability;
  const whole: Box = { x: 0, y: 0, width: size, height: size };
  return {
    ...{ operations, mirrored },
    crop: crop ? drawRandomCrop(size, size, geometry, crop) : whole,
    noise: erasing ? drawNoise(size, key, erasing) : undefined,
  };
}

function drawNoise(size: number, key: ClipKey, options: RandomErasingOptions): Noise | undefined {
  const random = new PhiloxStream({ ...key, purpose: Purpose.erase });
  const box = drawErasedBox(size, size, random, options);
  return box && { ...box, key, firstBlock: random.nextBlock };
}

/** Augmentations that take the longest way: for steps that are not about what is in their clips. */
export function blankAugmentations(count: number, size: number): Augmentation[] {
  const operations = (['equalize', 'rotate'] as const).map((name) => augmentOperation(name, 10));
  const crop: Box = { x: 0, y: 0, width: size, height: size };
  return Array.from({ length: count }, () => ({ operations, crop, mirrored: false }));
}
