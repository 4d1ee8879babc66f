/** Mixup and CutMix on the processor: what the kernel is held to. */
import type { Mix, MixBox } from '../mixup.js';

/**
 * Mixes a batch in place: clip b with clip B − 1 − b.
 *
 * @param clips [B, …, height, width]; in single precision, step by step, as PyTorch does it.
 * @throws RangeError for an odd batch, whose middle clip has no partner, or an array that is not such a batch.
 */
export function mixClips(
  clips: Float32Array,
  batchSize: number,
  width: number,
  height: number,
  { lambda, box }: Mix,
): void {
  if (!Number.isInteger(batchSize) || batchSize < 2 || batchSize % 2 !== 0) {
    throw new RangeError(`a batch of ${batchSize} clips cannot be mixed in pairs: give an even batch size.`);
  }
  const clipValues = clips.length / batchSize;
  const planes = clipValues / (width * height);
  if (!Number.isInteger(planes) || planes < 1) {
    throw new RangeError(`${clips.length} values are not ${batchSize} clips of ${width}×${height} pixels.`);
  }
  if (box !== undefined) checkMixBox(box, width, height);
  for (let b = 0; b < batchSize / 2; b++) {
    const one = clips.subarray(b * clipValues, (b + 1) * clipValues);
    const other = clips.subarray((batchSize - 1 - b) * clipValues, (batchSize - b) * clipValues);
    if (box === undefined) average(one, other, lambda);
    else for (let plane = 0; plane < planes; plane++) exchange(one, other, plane, width, height, box);
  }
}

function checkMixBox({ top, bottom, left, right }: MixBox, width: number, height: number): void {
  const whole = [top, bottom, left, right].every(Number.isInteger);
  if (!whole || top < 0 || left < 0 || bottom > height || right > width || top > bottom || left > right) {
    throw new RangeError(
      `rows ${top} to ${bottom} and columns ${left} to ${right} are not a box in frames of ${width}×${height} pixels.`,
    );
  }
}

const { fround } = Math;

function average(one: Float32Array, other: Float32Array, lambda: number): void {
  const [own, partner] = [fround(lambda), fround(1 - lambda)];
  for (let i = 0; i < one.length; i++) {
    const [a, b] = [one[i]!, other[i]!];
    one[i] = fround(own * a) + fround(partner * b);
    other[i] = fround(own * b) + fround(partner * a);
  }
}

function exchange(
  one: Float32Array,
  other: Float32Array,
  plane: number,
  width: number,
  height: number,
  { top, bottom, left, right }: MixBox,
): void {
  for (let y = top; y < bottom; y++) {
    const row = (plane * height + y) * width;
    const kept = one.slice(row + left, row + right);
    one.set(other.subarray(row + left, row + right), row + left);
    other.set(kept, row + left);
  }
}
