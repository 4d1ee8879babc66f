import { UserError } from '../errors.js';

/** What a classifier says of one view (one crop of one clip) of a video. */
export interface ViewScore {
  /** Names the video; all views of a video have the same. */
  readonly id: string;
  /** Which clip of the video, from 0. */
  readonly clip: number;
  /** Which crop of the clip, from 0; 0 where it is not given. */
  readonly crop?: number;
  /** [K], before the softmax. */
  readonly logits: ArrayLike<number>;
  /** The true class, 0 … K − 1, where it is known. */
  readonly label?: number;
}

/** What the views of a video say together. */
export interface VideoScore {
  readonly id: string;
  readonly label?: number;
  /** [K], sum 1. */
  readonly probabilities: readonly number[];
  /** The class with the greatest probability; the first of them where several have it. */
  readonly predicted: number;
  /** How many views were averaged. */
  readonly views: number;
  /** How many views were left out because one with the same clip and crop had been there before. */
  readonly duplicates: number;
}

/** exp(z_k) / Σ exp(z_j), shifted by the greatest logit so that nothing overflows. */
export function softmax(logits: ArrayLike<number>): number[] {
  const values = Array.from(logits);
  const greatest = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const powers = values.map((value) => Math.exp(value - greatest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Index of the greatest value, the first of them where several are equal. */
export function argmax(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > (values[best] ?? -Infinity) ? i : best), 0);
}

interface Sums {
  readonly label?: number;
  readonly probabilities: number[];
  readonly seen: Set<string>;
  duplicates: number;
}

function checkView({ id, clip, crop, logits, label }: ViewScore, first: Sums | undefined): void {
  const place = `clip ${clip}, crop ${crop ?? 0} of ${id}`;
  if (logits.length === 0) throw new RangeError(`${place} has no logits`);
  const wrong = Array.from(logits).findIndex((logit) => !Number.isFinite(logit));
  if (wrong >= 0) {
    throw new UserError(
      `${place}: the logit of class ${wrong} is ${logits[wrong]}. The classifier's weights are damaged or its ` +
        'training diverged; use an earlier checkpoint.',
    );
  }
  if (first && first.probabilities.length !== logits.length) {
    throw new RangeError(
      `${place} has ${logits.length} logits, another view of it ${first.probabilities.length}`,
    );
  }
  if (first && first.label !== label) {
    throw new RangeError(`${place} has label ${label}, another view of it ${first.label}`);
  }
}

/**
 * Scores of videos from those of their views, as the published evaluation has them: the softmax of each view, views
 * with the same (id, clip, crop) taken once, the mean of the probabilities, and the class where that is greatest.
 * Videos come in the order of their first views; the order of the views changes nothing beyond rounding.
 *
 * @throws UserError when a logit is not finite
 * @throws RangeError when views of a video have different labels or numbers of classes
 */
export function mergeViews(views: Iterable<ViewScore>): VideoScore[] {
  const videos = new Map<string, Sums>();
  for (const view of views) {
    const known = videos.get(view.id);
    checkView(view, known);
    const sums: Sums = known ?? {
      label: view.label,
      probabilities: Array.from(view.logits, () => 0),
      seen: new Set(),
      duplicates: 0,
    };
    videos.set(view.id, sums);
    const key = `${view.clip} ${view.crop ?? 0}`;
    if (sums.seen.has(key)) {
      sums.duplicates += 1;
      continue;
    }
    sums.seen.add(key);
    for (const [k, probability] of softmax(view.logits).entries()) sums.probabilities[k]! += probability;
  }
  return [...videos].map(([id, { label, probabilities, seen, duplicates }]) => {
    const mean = probabilities.map((sum) => sum / seen.size);
    return {
      id,
      ...(label === undefined ? {} : { label }),
      probabilities: mean,
      predicted: argmax(mean),
      views: seen.size,
      duplicates,
    };
  });
}
