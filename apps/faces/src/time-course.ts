/** How an expression rises, stays and falls over the time of a clip. Times are shares of the clip, 0 … 1. */
import type { FaceClass } from './action-units.js';
import type { FaceRandom } from './random.js';

/** An expression that rises from `start`, is whole from `apexStart` to `apexEnd`, and is gone at `end`. */
export interface TimeCourse {
  readonly start: number;
  readonly apexStart: number;
  readonly apexEnd: number;
  readonly end: number;
}

/**
 * Classes that are others run backwards: a clip of `fear` is drawn as a clip of `surprise`, and all of it (face, head,
 * light, noise) shown in reverse. Surprise comes at once and wears off slowly; fear grows slowly and is gone at once.
 * Whatever the order of frames does not enter is therefore distributed alike in both, but for what compression makes
 * of them afterwards: a frame is coded out of the one before it.
 */
export const REVERSED: Partial<Record<FaceClass, FaceClass>> = { fear: 'surprise' };

/** Least distance from the expression to the ends of the clip. */
const MARGIN = 0.03;

/**
 * Quick to come, slow to go, or, for classes that may do either, of any pace.
 *
 * @param leastHold share of the clip for which the expression is whole at least, below 0.9; coming and going share what
 *   is left
 */
export function drawTimeCourse(process: FaceClass, random: FaceRandom, leastHold = 0): TimeCourse {
  // Each class uses the same draws, so that what is drawn after them does not depend on the class.
  const [first, second, third, fourth] = [0, 1, 2, 3].map(() => random.between(0, 1)) as [
    number,
    number,
    number,
    number,
  ];
  const sudden = process === 'surprise';
  const drawnHold = sudden ? 0.06 + 0.08 * second : 0.1 + 0.2 * second;
  const hold = Math.max(drawnHold, leastHold);
  const drawnRise = sudden ? 0.06 + 0.06 * first : 0.12 + 0.18 * first;
  const drawnFall = sudden ? 0.4 + 0.12 * third : 0.12 + 0.18 * third;
  const pace = Math.min(1, (1 - 2 * MARGIN - hold) / (drawnRise + drawnFall));
  const [rise, fall] = [drawnRise * pace, drawnFall * pace];
  const room = 1 - 2 * MARGIN - rise - hold - fall;
  const start = MARGIN + room * fourth;
  return { start, apexStart: start + rise, apexEnd: start + rise + hold, end: start + rise + hold + fall };
}

/** From 0 to 1 with a level beginning and end. */
function ease(x: number): number {
  const clamped = Math.min(1, Math.max(0, x));
  return clamped * clamped * (3 - 2 * clamped);
}

/** How far the expression has come at `time`, 0 … 1. */
export function intensityAt({ start, apexStart, apexEnd, end }: TimeCourse, time: number): number {
  if (time <= apexEnd) return ease((time - start) / (apexStart - start));
  return ease((end - time) / (end - apexEnd));
}
