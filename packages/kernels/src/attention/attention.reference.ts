/** Extents of contiguous q [G, Lq, C] and k, v [G, Lk, C] with H heads. */
export interface AttentionShape {
  readonly groups: number;
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  readonly headDimension: number;
  /** Default headDimension^−½. */
  readonly scale?: number;
}

export interface AttentionResult {
  /** [G, Lq, C] */
  readonly out: Float64Array;
  /** [G, H, Lq] */
  readonly logSumExp: Float64Array;
}

/** One query row of one head: everything that addresses it. */
interface Row {
  readonly q: number;
  readonly kv: number;
  readonly statistic: number;
}

/** softmax(scale · Q·Kᵀ) · V and log Σ exp of the scores, in float64, row by row. */
export function attentionReference(
  shape: AttentionShape,
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
): AttentionResult {
  const out = new Float64Array(q.length);
  const logSumExp = new Float64Array(shape.groups * shape.heads * shape.queries);
  const p = new Float64Array(shape.keys);
  const stride = shape.heads * shape.headDimension;
  forEachRow(shape, (row) => {
    logSumExp[row.statistic] = probabilities(shape, q, k, row, p);
    for (let j = 0; j < shape.keys; j++) {
      const weight = p[j]!;
      const at = row.kv + j * stride;
      for (let c = 0; c < shape.headDimension; c++) out[row.q + c]! += weight * v[at + c]!;
    }
  });
  return { out, logSumExp };
}

/**
 * Gradients of q, k and v given those of `out` and, optionally, of `logSumExp`:
 * dP = dOut·Vᵀ, dS = P ∘ (dP − rowsum(P ∘ dP) + dLogSumExp), dV = Pᵀ·dOut, dQ = scale·dS·K, dK = scale·dSᵀ·Q.
 */
export function attentionBackwardReference(
  shape: AttentionShape,
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
  dOut: Float64Array,
  dLogSumExp?: Float64Array,
): { q: Float64Array; k: Float64Array; v: Float64Array } {
  const p = new Float64Array(shape.keys);
  return gradientsOf(shape, q, k, v, dOut, (row, dp) => {
    probabilities(shape, q, k, row, p);
    const mean = p.reduce((sum, weight, j) => sum + weight * dp[j]!, 0);
    return { p, shift: (dLogSumExp?.[row.statistic] ?? 0) - mean };
  });
}

/**
 * The same as the kernel has it, a function of what the forward left: P = exp(score − logSumExp) and
 * dS = P ∘ (dP − rowsum(dOut ∘ out)), whether or not `out` and `logSumExp` are those of just these q, k and v.
 */
export function attentionBackwardGiven(
  shape: AttentionShape,
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
  out: Float64Array,
  logSumExp: Float64Array,
  dOut: Float64Array,
): { q: Float64Array; k: Float64Array; v: Float64Array } {
  const p = new Float64Array(shape.keys);
  return gradientsOf(shape, q, k, v, dOut, (row) => {
    scoresOf(shape, q, k, row, p);
    for (let j = 0; j < shape.keys; j++) p[j] = Math.exp(p[j]! - logSumExp[row.statistic]!);
    let delta = 0;
    for (let c = 0; c < shape.headDimension; c++) delta += dOut[row.q + c]! * out[row.q + c]!;
    return { p, shift: -delta };
  });
}

/** Gradients from the weights of each row and what is added to its dP = dOut·Vᵀ in dS = P ∘ (dP + shift). */
function gradientsOf(
  shape: AttentionShape,
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
  dOut: Float64Array,
  weightsOf: (row: Row, dp: Float64Array) => { readonly p: Float64Array; readonly shift: number },
): { q: Float64Array; k: Float64Array; v: Float64Array } {
  const { keys, headDimension } = shape;
  const stride = shape.heads * headDimension;
  const factor = shape.scale ?? headDimension ** -0.5;
  const dq = new Float64Array(q.length);
  const dk = new Float64Array(k.length);
  const dv = new Float64Array(v.length);
  const dp = new Float64Array(keys);
  forEachRow(shape, (row) => {
    for (let j = 0; j < keys; j++) {
      const at = row.kv + j * stride;
      let sum = 0;
      for (let c = 0; c < headDimension; c++) sum += dOut[row.q + c]! * v[at + c]!;
      dp[j] = sum;
    }
    const { p, shift } = weightsOf(row, dp);
    for (let j = 0; j < keys; j++) {
      const at = row.kv + j * stride;
      const weight = p[j]!;
      const ds = factor * weight * (dp[j]! + shift);
      for (let c = 0; c < headDimension; c++) {
        dv[at + c]! += weight * dOut[row.q + c]!;
        dk[at + c]! += ds * q[row.q + c]!;
        dq[row.q + c]! += ds * k[at + c]!;
      }
    }
  });
  return { q: dq, k: dk, v: dv };
}

function forEachRow(
  { groups, queries, keys, heads, headDimension }: AttentionShape,
  body: (row: Row) => void,
): void {
  const channels = heads * headDimension;
  for (let g = 0; g < groups; g++) {
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < queries; i++) {
        body({
          q: (g * queries + i) * channels + h * headDimension,
          kv: g * keys * channels + h * headDimension,
          statistic: (g * heads + h) * queries + i,
        });
      }
    }
  }
}

/** Fills `p` with the softmax of one row of scores; returns log Σ exp. */
function probabilities(
  shape: AttentionShape,
  q: Float64Array,
  k: Float64Array,
  row: Row,
  p: Float64Array,
): number {
  scoresOf(shape, q, k, row, p);
  const max = p.reduce((largest, score) => Math.max(largest, score), -Infinity);
  let sum = 0;
  for (let j = 0; j < shape.keys; j++) sum += p[j] = Math.exp(p[j]! - max);
  for (let j = 0; j < shape.keys; j++) p[j]! /= sum;
  return max + Math.log(sum);
}

/** Fills `scores` with one row of scale · Q·Kᵀ. */
function scoresOf(
  { keys, heads, headDimension, scale }: AttentionShape,
  q: Float64Array,
  k: Float64Array,
  row: Row,
  scores: Float64Array,
): void {
  const stride = heads * headDimension;
  const factor = scale ?? headDimension ** -0.5;
  for (let j = 0; j < keys; j++) {
    const at = row.kv + j * stride;
    let score = 0;
    for (let c = 0; c < headDimension; c++) score += q[row.q + c]! * k[at + c]!;
    scores[j] = factor * score;
  }
}
