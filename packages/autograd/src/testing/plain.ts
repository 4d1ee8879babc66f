/** Float64 versions of the operations, written the plain way on flat row-major arrays. */

/** x [R, K] · weightᵀ [N, K] + bias → [R, N]. */
export function plainLinear(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array | undefined,
  k: number,
) {
  const rows = x.length / k;
  const n = weight.length / k;
  const y = new Float64Array(rows * n);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < n; j++) {
      let sum = bias?.[j] ?? 0;
      for (let i = 0; i < k; i++) sum += x[r * k + i]! * weight[j * k + i]!;
      y[r * n + j] = sum;
    }
  }
  return y;
}

/** The error function by its Maclaurin series near zero and the Laplace continued fraction of erfc beyond. */
export function plainErf(x: number): number {
  const z = Math.abs(x);
  if (z > 2.5) {
    let tail = z;
    for (let k = 120; k >= 1; k--) tail = z + k / 2 / tail;
    return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * tail));
  }
  let term = x;
  let sum = x;
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

export function plainGelu(x: Float64Array): Float64Array {
  return x.map((value) => 0.5 * value * (1 + plainErf(value / Math.SQRT2)));
}

export function plainLayerNorm(x: Float64Array, weight: Float64Array, bias: Float64Array): Float64Array {
  const columns = weight.length;
  const y = new Float64Array(x.length);
  for (let r = 0; r < x.length; r += columns) {
    const row = x.subarray(r, r + columns);
    const mean = row.reduce((sum, value) => sum + value, 0) / columns;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / columns;
    row.forEach(
      (value, c) => (y[r + c] = ((value - mean) / Math.sqrt(variance + 1e-6)) * weight[c]! + bias[c]!),
    );
  }
  return y;
}

/** q [G, Lq, C], kv [G, Lk, 2C] → [G, Lq, C]. */
export function plainAttention(
  q: Float64Array,
  kv: Float64Array,
  { groups, queries, keys, width, heads }: Record<'groups' | 'queries' | 'keys' | 'width' | 'heads', number>,
): Float64Array {
  const d = width / heads;
  const y = new Float64Array(q.length);
  for (let g = 0; g < groups; g++) {
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < queries; i++) {
        const row = (g * queries + i) * width + h * d;
        const weights = Array.from({ length: keys }, (_, j) => {
          let score = 0;
          for (let c = 0; c < d; c++) score += q[row + c]! * kv[(g * keys + j) * 2 * width + h * d + c]!;
          return Math.exp(score / Math.sqrt(d));
        });
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (let c = 0; c < d; c++) {
          let sum = 0;
          for (let j = 0; j < keys; j++)
            sum += weights[j]! * kv[(g * keys + j) * 2 * width + width + h * d + c]!;
          y[row + c] = sum / total;
        }
      }
    }
  }
  return y;
}
