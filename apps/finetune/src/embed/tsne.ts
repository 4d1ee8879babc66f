import { PhiloxStream, streamPurpose } from '@tubelet/kernels';

const START_PURPOSE = streamPurpose(33);

export interface TsneOptions {
  /** About how many neighbours of a point count. */
  readonly perplexity: number;
  readonly seed: number;
  /** Told from time to time how many steps of all are done. */
  readonly progress?: (steps: number, total: number) => void;
}

const STEPS = 750;
/** Steps with exaggerated attraction and less momentum, in which clusters find together. */
const EARLY_STEPS = 250;
const EXAGGERATION = 12;
const LEAST_SHARE = 1e-12;

/**
 * Lays points out in the plane by t-SNE (van der Maaten and Hinton, “Visualizing data using t-SNE”, 2008), all pairs
 * counted: N² operations a step, a minute for some two thousand points. The same points and options give the same
 * picture.
 *
 * @param points [N][C]
 * @returns [N][2]
 * @throws RangeError unless there are at least three points, and more than three times the perplexity
 */
export function tsne(
  points: readonly ArrayLike<number>[],
  { perplexity, seed, progress }: TsneOptions,
): [number, number][] {
  const count = points.length;
  if (count < 3 || count <= 3 * perplexity) {
    throw new RangeError(
      `${count} points cannot be laid out with a perplexity of ${perplexity}: give more than three times as many, and three`,
    );
  }
  const affinities = jointAffinities(squaredDistances(points), count, perplexity);
  const random = new PhiloxStream({ seed, purpose: START_PURPOSE });
  const places = Float64Array.from({ length: 2 * count }, () => 1e-4 * random.normal());
  const gradient = new Float64Array(2 * count);
  const velocity = new Float64Array(2 * count);
  const gains = new Float64Array(2 * count).fill(1);
  const rate = Math.max(count / EXAGGERATION / 4, 50);
  for (let step = 0; step < STEPS; step++) {
    const isEarly = step < EARLY_STEPS;
    setGradient(gradient, places, affinities, count, isEarly ? EXAGGERATION : 1);
    const momentum = isEarly ? 0.5 : 0.8;
    for (let i = 0; i < 2 * count; i++) {
      // Steps grow where they go on in one direction, and shrink where they turn (Jacobs, 1988).
      const turns = gradient[i]! > 0 === velocity[i]! > 0;
      gains[i] = Math.max(0.01, turns ? gains[i]! * 0.8 : gains[i]! + 0.2);
      velocity[i] = momentum * velocity[i]! - rate * gains[i]! * gradient[i]!;
      places[i]! += velocity[i]!;
    }
    centre(places);
    progress?.(step + 1, STEPS);
  }
  return Array.from({ length: count }, (_, i) => [places[2 * i]!, places[2 * i + 1]!]);
}

/** [N·N] */
function squaredDistances(points: readonly ArrayLike<number>[]): Float64Array {
  const count = points.length;
  const result = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [points[i]!, points[j]!];
      let sum = 0;
      for (let c = 0; c < a.length; c++) sum += (a[c]! - b[c]!) ** 2;
      result[i * count + j] = result[j * count + i] = sum;
    }
  }
  return result;
}

/**
 * p_ij: the share of each pair, from Gaussians around the points whose widths give every point the same perplexity,
 * made symmetric. [N·N], sum 1.
 */
function jointAffinities(distances: Float64Array, count: number, perplexity: number): Float64Array {
  const conditional = new Float64Array(count * count);
  const row = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const own = distances.subarray(i * count, (i + 1) * count);
    let nearest = Infinity;
    for (let j = 0; j < count; j++) if (j !== i) nearest = Math.min(nearest, own[j]!);
    // The precision β of the Gaussian, by bisection on the logarithm of the perplexity.
    let [beta, least, most] = [1, 0, Infinity];
    for (let attempt = 0; attempt < 100; attempt++) {
      let [total, weighted] = [0, 0];
      for (let j = 0; j < count; j++) {
        // Distances beyond the nearest: the greatest share is then 1, so that the sum is never 0.
        const beyond = own[j]! - nearest;
        row[j] = j === i ? 0 : Math.exp(-beta * beyond);
        total += row[j]!;
        weighted += row[j]! * beyond;
      }
      const excess = Math.log(total) + (beta * weighted) / total - Math.log(perplexity);
      for (let j = 0; j < count; j++) conditional[i * count + j] = row[j]! / total;
      if (Math.abs(excess) < 1e-5) break;
      if (excess > 0) [least, beta] = [beta, most === Infinity ? 2 * beta : (beta + most) / 2];
      else [most, beta] = [beta, (least + beta) / 2];
    }
  }
  // In place: there may be thousands of points.
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const share = (conditional[i * count + j]! + conditional[j * count + i]!) / (2 * count);
      conditional[i * count + j] = conditional[j * count + i] = Math.max(share, LEAST_SHARE);
    }
  }
  return conditional;
}

/** ∂KL(P‖Q)/∂y_i = 4 Σ_j (p_ij − q_ij)(y_i − y_j) / (1 + |y_i − y_j|²), with p_ij times `exaggeration`. */
function setGradient(
  gradient: Float64Array,
  places: Float64Array,
  affinities: Float64Array,
  count: number,
  exaggeration: number,
): void {
  let total = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const [x, y] = [places[2 * i]! - places[2 * j]!, places[2 * i + 1]! - places[2 * j + 1]!];
      total += 2 / (1 + x * x + y * y);
    }
  }
  gradient.fill(0);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const [x, y] = [places[2 * i]! - places[2 * j]!, places[2 * i + 1]! - places[2 * j + 1]!];
      const closeness = 1 / (1 + x * x + y * y);
      const pull = 4 * (exaggeration * affinities[i * count + j]! - closeness / total) * closeness;
      gradient[2 * i]! += pull * x;
      gradient[2 * i + 1]! += pull * y;
      gradient[2 * j]! -= pull * x;
      gradient[2 * j + 1]! -= pull * y;
    }
  }
}

function centre(places: Float64Array): void {
  for (const axis of [0, 1]) {
    let sum = 0;
    for (let i = axis; i < places.length; i += 2) sum += places[i]!;
    for (let i = axis; i < places.length; i += 2) places[i]! -= (2 * sum) / places.length;
  }
}
