/** Mean of (prediction − target)² in float64. */
export function mseReference(prediction: Float64Array, target: Float64Array): Float64Array {
  const sum = prediction.reduce((total, value, i) => total + (value - target[i]!) ** 2, 0);
  return Float64Array.of(sum / prediction.length);
}

/** Its gradient of the prediction, for a cotangent of the mean. */
export function mseBackwardReference(
  prediction: Float64Array,
  target: Float64Array,
  cotangent: number,
): Float64Array {
  return prediction.map((value, i) => (2 * cotangent * (value - target[i]!)) / prediction.length);
}
