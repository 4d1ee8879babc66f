/** out[c] = Σ_r x[r, c] in float64, for packed x. */
export function columnSumReference(x: Float64Array, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  x.forEach((value, i) => (sums[i % columns]! += value));
  return sums;
}

/** dx[r, c] = dOut[c], packed. */
export function columnSumBackwardReference(rows: number, dOut: Float64Array): Float64Array {
  return Float64Array.from({ length: rows * dOut.length }, (_, i) => dOut[i % dOut.length]!);
}
