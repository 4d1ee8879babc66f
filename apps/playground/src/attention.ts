/** What representative tokens attend to, computed anew on the host: the kernels keep no attention weights. */
import { LAYER_NORM_EPSILON } from '@tubelet/mae-dfer';

/** The parts of a block's local attention that scores need, by their published names within the block. */
export interface LocalAttentionWeights {
  /** [C] each */
  readonly normWeight: ArrayLike<number>;
  readonly normBias: ArrayLike<number>;
  readonly queryBias: ArrayLike<number>;
  /** [C, C] */
  readonly query: ArrayLike<number>;
  /** [C, C]: the upper half of the matrix of keys and values. */
  readonly key: ArrayLike<number>;
}

/**
 * Attention of each region's representative token to the rows of its region, mean over the heads [M, 1+N]:
 * softmaxⱼ(q · kⱼ / √d), q = W_q x₀ + b_q, kⱼ = W_k xⱼ on normalised rows x. Keys are never made: q · W_k xⱼ is
 * (W_kᵀ q) · xⱼ, one product with the matrix a region and head instead of one a row.
 *
 * @param tokens [M, 1+N, C]: what enters the block, row 0 of a region being its representative
 */
export function representativeAttention(
  tokens: Float32Array,
  { normWeight, normBias, queryBias, query, key }: LocalAttentionWeights,
  { regions, heads }: { readonly regions: number; readonly heads: number },
): Float32Array {
  const width = normWeight.length;
  const depth = width / heads;
  const rows = tokens.length / width / regions;
  const result = new Float32Array(regions * rows);
  for (let region = 0; region < regions; region++) {
    const normed = Array.from({ length: rows }, (_, row) => {
      const first = (region * rows + row) * width;
      return normalised(tokens.subarray(first, first + width), normWeight, normBias);
    });
    const q = Float64Array.from(
      { length: width },
      (_, i) => queryBias[i]! + dot(query, i * width, normed[0]!),
    );
    for (let head = 0; head < heads; head++) {
      const projected = new Float64Array(width);
      for (let i = head * depth; i < (head + 1) * depth; i++) {
        for (let c = 0; c < width; c++) projected[c]! += q[i]! * key[i * width + c]!;
      }
      const scores = normed.map((x) => dot(projected, 0, x) / Math.sqrt(depth));
      const largest = Math.max(...scores);
      const powers = scores.map((score) => Math.exp(score - largest));
      const total = powers.reduce((sum, power) => sum + power, 0);
      powers.forEach((power, row) => (result[region * rows + row]! += power / total / heads));
    }
  }
  return result;
}

function normalised(x: Float32Array, weight: ArrayLike<number>, bias: ArrayLike<number>): Float64Array {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  const scale = 1 / Math.sqrt(variance + LAYER_NORM_EPSILON);
  return Float64Array.from(x, (value, c) => (value - mean) * scale * weight[c]! + bias[c]!);
}

function dot(matrix: ArrayLike<number>, first: number, x: Float64Array): number {
  let sum = 0;
  for (let c = 0; c < x.length; c++) sum += matrix[first + c]! * x[c]!;
  return sum;
}
