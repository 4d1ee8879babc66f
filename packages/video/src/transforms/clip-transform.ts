/** What is done to a clip between the decoder and the model, in fine-tuning and in testing. */
import { PhiloxStream } from '@tubelet/kernels';
import { normaliseClip, type ClipPlanes } from './clip-planes';
import { drawRandAugment, randAugmentClip, type RandAugmentOptions } from './rand-augment';
import { drawErasedBox, eraseBox, type RandomErasingOptions } from './random-erasing';
import { drawRandomCrop, flipClip, resizeCrop, type RandomCropOptions } from './random-resized-crop';
import { Purpose } from '../stream-purposes';

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

/**
 * A clip for training: RandAugment, normalisation, random resized crop, mirroring, random erasing, in this order.
 * All frames of a clip are treated alike, but for the noise of the erased box.
 *
 * @param frames [T, size, size, 3], 8-bit RGB, as the decoder gives them; left as they are.
 * @returns [3, T, size, size].
 * @throws RangeError for frames of another size, or options out of range.
 */
export function transformTrainClip(
  frames: Uint8Array,
  size: number,
  key: ClipKey,
  { randAugment = {}, crop = {}, flipProbability = 0.5, erasing = {} }: TrainTransformOptions = {},
): ClipPlanes {
  if (!(flipProbability >= 0 && flipProbability <= 1)) {
    throw new RangeError(`flipProbability is ${flipProbability}: not within 0 and 1.`);
  }
  const operations = randAugment
    ? drawRandAugment(new PhiloxStream({ ...key, purpose: Purpose.augment }), randAugment)
    : [];
  let clip = normaliseClip(randAugmentClip(frames, size, size, operations), size, size);
  const geometry = new PhiloxStream({ ...key, purpose: Purpose.crop });
  // Drawn first: the crop uses a varying number of draws, and its options shall not decide what is mirrored.
  const flipped = geometry.uniform() < flipProbability;
  if (crop) clip = resizeCrop(clip, drawRandomCrop(size, size, geometry, crop), size, size);
  if (flipped) flipClip(clip);
  if (erasing) {
    const random = new PhiloxStream({ ...key, purpose: Purpose.erase });
    const box = drawErasedBox(size, size, random, erasing);
    if (box !== undefined) eraseBox(clip, box, random);
  }
  return clip;
}

/**
 * A clip for validation and testing: normalisation alone. (The reference's several crops of a square frame are all
 * the whole frame.)
 *
 * @param frames [T, size, size, 3], 8-bit RGB.
 * @returns [3, T, size, size].
 */
export function transformTestClip(frames: Uint8Array, size: number): ClipPlanes {
  return normaliseClip(frames, size, size);
}
