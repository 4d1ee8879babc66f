/** (total, appearance, motion) of packed rows of 2·half columns, in float64. */
export function twoPartLossReference(
  prediction: Float64Array,
  target: Float64Array,
  half: number,
  appearanceWeight: number,
): Float64Array {
  const sums = [0, 0];
  prediction.forEach((value, i) => (sums[isMotion(i, half)]! += (value - target[i]!) ** 2));
  const count = prediction.length / 2;
  const [appearance, motion] = [sums[0]! / count, sums[1]! / count];
  return Float64Array.of(appearanceWeight * appearance + (1 - appearanceWeight) * motion, appearance, motion);
}

/** Gradient of the prediction for cotangents of the total and, in a check of the reference alone, of the parts. */
export function twoPartLossGradient(
  prediction: Float64Array,
  target: Float64Array,
  half: number,
  appearanceWeight: number,
  [dTotal = 0, dAppearance = 0, dMotion = 0]: Iterable<number>,
): Float64Array {
  const count = prediction.length / 2;
  const weights = [appearanceWeight * dTotal + dAppearance, (1 - appearanceWeight) * dTotal + dMotion];
  return prediction.map((value, i) => (2 * weights[isMotion(i, half)]! * (value - target[i]!)) / count);
}

function isMotion(index: number, half: number): 0 | 1 {
  return index % (2 * half) < half ? 0 : 1;
}
