import { median } from '../kernels/batch-timer.js';
import type { Measurement } from '../kernels/measure-case.js';

/** Batches of one variant and of the shipped one that ran right after each other, as a ratio of their times. */
export interface Comparison {
  readonly variant: string;
  /** Median over the pairs of a case, as a geometric mean over the cases: below 1 the variant is faster. */
  readonly ratio: number;
  /** The same of the ratio that three quarters of the pairs of a case have at most. */
  readonly upperQuartile: number;
  /** Whether its results were right. */
  readonly isRight: boolean;
}

/**
 * A variant must be this much faster in three quarters of the pairs to replace the shipped one: what noise makes of
 * two equal ones goes both ways, and a choice that changes nothing would still change the last digits of a run.
 */
const LEAST_GAIN = 0.03;

/**
 * Compares the other variants with the shipped one, whose measurements come first.
 *
 * @param cases the measurements of each case of one class of shapes: all variants of each, the shipped one first and
 *   with the most batches
 */
export function compareVariants(cases: readonly (readonly Measurement[])[]): Comparison[] {
  const others = cases[0]?.slice(1) ?? [];
  return others.map(({ variant }) => {
    const own = cases.map((measurements) => measurements.find((found) => found.variant === variant)!);
    // Of each case by itself: in one that a variant was given up in, it has fewer batches than in others.
    const ratios = own.map(({ batchSeconds }, i) =>
      batchSeconds.map((seconds, round) => seconds / cases[i]![0]!.batchSeconds[round]!),
    );
    return {
      variant,
      ratio: geometricMean(ratios.map(median)),
      upperQuartile: geometricMean(ratios.map(upperQuartile)),
      isRight: own.every(({ check }) => check.passed),
    };
  });
}

function geometricMean(values: readonly number[]): number {
  return values.reduce((product, value) => product * value, 1) ** (1 / values.length);
}

function upperQuartile(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(0.75 * sorted.length) - 1]!;
}

/** The fastest variant that is faster than the shipped one by more than the noise; undefined where there is none. */
export function fasterVariant(comparisons: readonly Comparison[]): Comparison | undefined {
  return comparisons
    .filter(({ isRight, upperQuartile: most }) => isRight && most <= 1 - LEAST_GAIN)
    .reduce<Comparison | undefined>(
      (best, comparison) => (best && best.ratio <= comparison.ratio ? best : comparison),
      undefined,
    );
}
