/** The whole transform of fine-tuning on the processor: what the GPU is held to. */
import { PhiloxStream } from '@tubelet/kernels';
import { Purpose } from '../../stream-purposes.js';
import { drawAugmentation, type ClipKey, type TrainTransformOptions } from '../augmentation.js';
import { randAugmentClip } from './apply-operation.js';
import { eraseBox, flipClip, resizeCrop } from './clip-operations.js';
import { normaliseClip, type ClipPlanes } from './clip-planes.js';

/**
 * A clip for training: RandAugment, normalisation, random resized crop, mirroring, random erasing, in this order.
 *
 * @param frames [T, size, size, 3], 8-bit RGB; left as they are.
 * @returns [3, T, size, size].
 */
export function transformTrainClip(
  frames: Uint8Array,
  size: number,
  key: ClipKey,
  options?: TrainTransformOptions,
): ClipPlanes {
  const { operations, crop, mirrored, noise } = drawAugmentation(size, key, options);
  const augmented = randAugmentClip(frames, size, size, operations);
  const clip = resizeCrop(normaliseClip(augmented, size, size), crop, size, size);
  if (mirrored) flipClip(clip);
  if (noise) {
    const random = new PhiloxStream({ ...key, purpose: Purpose.erase });
    for (let draw = 0; draw < 4 * noise.firstBlock; draw++) random.nextUint32();
    eraseBox(clip, noise, random);
  }
  return clip;
}
