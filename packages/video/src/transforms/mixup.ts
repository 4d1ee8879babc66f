/**
 * Mixup and CutMix of a batch with its own reverse, and the soft targets that go with them.
 *
 * Sources: H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, “mixup: beyond empirical risk minimization”, ICLR 2018;
 * S. Yun, D. Han, S. J. Oh, S. Chun, J. Choe, Y. Yoo, “CutMix”, ICCV 2019; label smoothing: C. Szegedy et al.,
 * “Rethinking the Inception architecture”, CVPR 2016.
 */
import { symmetricBeta, type RandomNumbers } from './random';

export interface MixOptions {
  /** Parameter of mixup's beta distribution, 0 for no mixup; default 0.8. */
  mixupAlpha?: number;
  /** Parameter of CutMix's beta distribution, 0 for no CutMix; default 1. */
  cutmixAlpha?: number;
  /** How often a batch is mixed at all; default 1. */
  probability?: number;
  /** How often a mixed batch is mixed by CutMix, where both are allowed; default ½. */
  cutmixProbability?: number;
}

/** Rows `top` … `bottom` − 1 and columns `left` … `right` − 1; it may be empty. */
export interface MixBox {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** How a batch is mixed. */
export interface Mix {
  /** The share of a sample's own label; the rest is that of its partner, the sample at the mirrored place. */
  readonly lambda: number;
  /** With CutMix: where the partner's pixels are, in all frames. Without: all pixels are averaged. */
  readonly box?: MixBox;
}

/** A batch that is not mixed. */
export const NO_MIX: Mix = { lambda: 1 };

/**
 * CutMix's box of about (1 − λ) of the frame's area about a centre, cut off at the frame's edges, and the λ that is
 * left: the share of the frame outside it.
 */
export function cutmixBox(
  width: number,
  height: number,
  lambda: number,
  centre: { x: number; y: number },
): Mix & { readonly box: MixBox } {
  const side = Math.sqrt(1 - lambda);
  const span = (middle: number, length: number): [number, number] => {
    const half = Math.floor(Math.trunc(length * side) / 2);
    return [Math.max(middle - half, 0), Math.min(middle + half, length)];
  };
  const [top, bottom] = span(centre.y, height);
  const [left, right] = span(centre.x, width);
  const box = { top, bottom, left, right };
  return { lambda: 1 - ((bottom - top) * (right - left)) / (width * height), box };
}

/**
 * Draws how a batch of frames of width × height is mixed.
 *
 * @throws RangeError for options out of range.
 */
export function drawMix(
  width: number,
  height: number,
  random: RandomNumbers,
  { mixupAlpha = 0.8, cutmixAlpha = 1, probability = 1, cutmixProbability = 0.5 }: MixOptions = {},
): Mix {
  for (const [name, value] of Object.entries({ mixupAlpha, cutmixAlpha })) {
    if (!(value >= 0 && value < Infinity))
      throw new RangeError(`${name} is ${value}: not a number of 0 or more.`);
  }
  for (const [name, value] of Object.entries({ probability, cutmixProbability })) {
    if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} is ${value}: not within 0 and 1.`);
  }
  if (mixupAlpha === 0 && cutmixAlpha === 0) return NO_MIX;
  if (random.uniform() >= probability) return NO_MIX;
  const cutmix = mixupAlpha === 0 || (cutmixAlpha > 0 && random.uniform() < cutmixProbability);
  if (!cutmix) return { lambda: symmetricBeta(mixupAlpha, random) };
  const lambda = symmetricBeta(cutmixAlpha, random);
  const y = random.integer(height);
  return cutmixBox(width, height, lambda, { x: random.integer(width), y });
}

/**
 * Mixes a batch in place: clip b with clip B − 1 − b.
 *
 * @param clips [B, …, height, width]; in single precision, step by step, as PyTorch does it.
 * @throws RangeError for an odd batch, whose middle clip has no partner, or an array that is no such batch.
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
    throw new RangeError(`${clips.length} values are no ${batchSize} clips of ${width}×${height} pixels.`);
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
      `rows ${top} to ${bottom} and columns ${left} to ${right} are no box in frames of ${width}×${height} pixels.`,
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

/**
 * Soft targets of a batch: the label's class has 1 − ε + ε/K, the others ε/K; mixed with those of the sample at the
 * mirrored place.
 *
 * @param labels the class of each sample, 0 … K − 1.
 * @param smoothing ε, in [0, 1).
 * @returns [B, K].
 * @throws RangeError for a label that is no class, or ε out of range.
 */
export function softTargets(
  labels: ArrayLike<number>,
  classes: number,
  smoothing = 0.1,
  { lambda }: Mix = NO_MIX,
): Float32Array {
  if (!(smoothing >= 0 && smoothing < 1))
    throw new RangeError(`smoothing is ${smoothing}: not within 0 and 1.`);
  const off = smoothing / classes;
  const on = fround(1 - smoothing + off);
  const [own, partner] = [fround(lambda), fround(1 - lambda)];
  const targets = new Float32Array(labels.length * classes);
  for (let b = 0; b < labels.length; b++) {
    const [label, other] = [labels[b]!, labels[labels.length - 1 - b]!];
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new RangeError(`the label of sample ${b} is ${label}: the classes are 0 to ${classes - 1}.`);
    }
    for (let k = 0; k < classes; k++) {
      const one = k === label ? on : fround(off);
      const two = k === other ? on : fround(off);
      targets[b * classes + k] = fround(own * one) + fround(partner * two);
    }
  }
  return targets;
}
