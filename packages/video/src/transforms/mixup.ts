/**
 * Mixup and CutMix of a batch with its own reverse, and the soft targets that go with them.
 *
 * Sources: H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, “mixup: beyond empirical risk minimization”, ICLR 2018;
 * S. Yun, D. Han, S. J. Oh, S. Chun, J. Choe, Y. Yoo, “CutMix”, ICCV 2019; label smoothing: C. Szegedy et al.,
 * “Rethinking the Inception architecture”, CVPR 2016.
 */
import type { Mix, MixBox } from '@tubelet/kernels';
import { symmetricBeta, type RandomNumbers } from './random.js';

export type { Mix, MixBox };

/** How often and how strongly clips of a batch are mixed. */
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

const { fround } = Math;

/**
 * Soft targets of a batch: the label's class has 1 − ε + ε/K, the others ε/K; mixed with those of the sample at the
 * mirrored place.
 *
 * @param labels the class of each sample, 0 … K − 1.
 * @param smoothing ε, in [0, 1).
 * @returns [B, K].
 * @throws RangeError for a label that is not a class, or ε out of range.
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
