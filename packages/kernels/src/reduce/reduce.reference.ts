/** Σ_b x[b, r, c] for x [count, size] packed; size = rows · columns. */
export function sumLeadingReference(x: Float64Array, count: number): Float64Array {
  const size = x.length / count;
  const sum = new Float64Array(size);
  x.forEach((value, i) => (sum[i % size]! += value));
  return sum;
}

/** Σ x. */
export function sumReference(x: Float64Array): number {
  return x.reduce((sum, value) => sum + value, 0);
}
