/** Random numbers as the transforms take them; a `PhiloxStream` gives them. */
export interface RandomNumbers {
  /** Uniform over [0, 1). */
  uniform(): number;
  /** Uniform over 0 … n − 1. */
  integer(n: number): number;
  /** Standard normal. */
  normal(): number;
}

/** Uniform over [low, high). */
export function uniformBetween(low: number, high: number, random: RandomNumbers): number {
  return low + (high - low) * random.uniform();
}

/** exp(U(log low, log high)): equally likely to be below as above the geometric mean. */
export function logUniform(low: number, high: number, random: RandomNumbers): number {
  return Math.exp(uniformBetween(Math.log(low), Math.log(high), random));
}

/**
 * Gamma(shape, 1), by rejection from a transformed normal.
 *
 * Source: G. Marsaglia, W. W. Tsang, “A simple method for generating gamma variables”, ACM TOMS 26 (2000).
 */
function gamma(shape: number, random: RandomNumbers): number {
  // 1 − u instead of u: never 0, whose logarithm and power would be of no use.
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/**
 * Beta(alpha, alpha), in [0, 1].
 *
 * @throws RangeError unless alpha is positive
 */
export function symmetricBeta(alpha: number, random: RandomNumbers): number {
  if (!(alpha > 0)) throw new RangeError(`alpha is ${alpha}: a beta distribution needs a positive one.`);
  const first = gamma(alpha, random);
  return first / (first + gamma(alpha, random));
}
