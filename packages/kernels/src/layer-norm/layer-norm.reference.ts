/** Outputs of a layer norm in float64. */
export interface LayerNormResult {
  readonly out: Float64Array;
  readonly mean: Float64Array;
  readonly rstd: Float64Array;
}

/** Row statistics and normalised, scaled rows of x [rows, columns]. */
export function layerNormReference(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array,
  epsilon: number,
): LayerNormResult {
  const columns = weight.length;
  const rows = x.length / columns;
  const out = new Float64Array(x.length);
  const mean = new Float64Array(rows);
  const rstd = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    const row = x.subarray(r * columns, (r + 1) * columns);
    const average = row.reduce((sum, value) => sum + value, 0) / columns;
    const variance = row.reduce((sum, value) => sum + (value - average) ** 2, 0) / columns;
    mean[r] = average;
    rstd[r] = 1 / Math.sqrt(variance + epsilon);
    for (let c = 0; c < columns; c++)
      out[r * columns + c] = (row[c]! - average) * rstd[r]! * weight[c]! + bias[c]!;
  }
  return { out, mean, rstd };
}

/** Gradients of x, weight and bias in float64. */
export interface LayerNormGradients {
  readonly dx: Float64Array;
  readonly dWeight: Float64Array;
  readonly dBias: Float64Array;
}

/**
 * Gradients for the cotangents of `out` and, where given, of the two statistics (which only a gradient check of
 * the reference itself has).
 */
export function layerNormBackwardReference(
  x: Float64Array,
  weight: Float64Array,
  epsilon: number,
  dOut: Float64Array,
  dMean?: Float64Array,
  dRstd?: Float64Array,
): LayerNormGradients {
  const columns = weight.length;
  const rows = x.length / columns;
  const { mean, rstd } = layerNormReference(x, weight, weight, epsilon);
  const dx = new Float64Array(x.length);
  const dWeight = new Float64Array(columns);
  const dBias = new Float64Array(columns);
  for (let r = 0; r < rows; r++) {
    const scale = rstd[r]!;
    const normalised = (c: number) => (x[r * columns + c]! - mean[r]!) * scale;
    let gradientSum = 0;
    let slopeSum = 0;
    for (let c = 0; c < columns; c++) {
      const gradient = dOut[r * columns + c]!;
      dWeight[c]! += gradient * normalised(c);
      dBias[c]! += gradient;
      gradientSum += gradient * weight[c]!;
      slopeSum += gradient * weight[c]! * normalised(c);
    }
    for (let c = 0; c < columns; c++) {
      const gradient = dOut[r * columns + c]! * weight[c]!;
      const centred = gradient - gradientSum / columns - (normalised(c) * slopeSum) / columns;
      // d rstd / dx = −rstd² · x̂ / C and d mean / dx = 1 / C.
      const statistics =
        (dMean?.[r] ?? 0) / columns - ((dRstd?.[r] ?? 0) * scale * scale * normalised(c)) / columns;
      dx[r * columns + c] = scale * centred + statistics;
    }
  }
  return { dx, dWeight, dBias };
}
