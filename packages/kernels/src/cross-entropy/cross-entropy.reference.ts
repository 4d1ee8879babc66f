/** Softmax of each row of packed logits, in float64. */
export function softmaxReference(logits: Float64Array, columns: number): Float64Array {
  const result = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += columns) {
    const row = logits.subarray(start, start + columns);
    const largest = row.reduce((most, value) => Math.max(most, value), -Infinity);
    const exponentials = row.map((value) => Math.exp(value - largest));
    const total = exponentials.reduce((sum, value) => sum + value, 0);
    result.set(
      exponentials.map((value) => value / total),
      start,
    );
  }
  return result;
}

/** −1/B · Σ y · log softmax, in float64. */
export function crossEntropyReference(logits: Float64Array, targets: Float64Array, columns: number): number {
  let sum = 0;
  for (let start = 0; start < logits.length; start += columns) {
    const row = logits.subarray(start, start + columns);
    const largest = row.reduce((most, value) => Math.max(most, value), -Infinity);
    const logTotal = Math.log(row.reduce((total, value) => total + Math.exp(value - largest), 0));
    row.forEach((value, k) => (sum += targets[start + k]! * (logTotal - (value - largest))));
  }
  return (sum * columns) / logits.length;
}

/** Gradient of the logits for a cotangent of the loss: (softmax · Σy − y) / B · dLoss. */
export function crossEntropyBackwardReference(
  logits: Float64Array,
  targets: Float64Array,
  columns: number,
  dLoss: number,
): Float64Array {
  const probabilities = softmaxReference(logits, columns);
  const rows = logits.length / columns;
  return probabilities.map((probability, i) => {
    const start = i - (i % columns);
    const mass = targets.subarray(start, start + columns).reduce((sum, value) => sum + value, 0);
    return ((probability * mass - targets[i]!) / rows) * dLoss;
  });
}

/** Gradient of the logits for cotangents of the probabilities: p · (dp − Σ p · dp). */
export function softmaxBackwardReference(
  probabilities: Float64Array,
  dProbabilities: Float64Array,
  columns: number,
): Float64Array {
  return probabilities.map((probability, i) => {
    const start = i - (i % columns);
    let mean = 0;
    for (let k = start; k < start + columns; k++) mean += probabilities[k]! * dProbabilities[k]!;
    return probability * (dProbabilities[i]! - mean);
  });
}
