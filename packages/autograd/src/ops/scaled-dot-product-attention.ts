import type { Tensor } from '../engine/tensor.js';
import { add, mul } from './arithmetic.js';
import { transpose } from './layout.js';
import { matmul } from './matmul.js';
import { pointwise } from './pointwise.js';
import { softmax } from './softmax.js';
import { reshape } from './views.js';

/** Which keys a query sees, and the scale of its scores. */
export interface ScaledDotProductOptions {
  /** Factor of the scores; default 1/√D. */
  readonly scale?: number;
  /** Query i sees keys 0 … i alone. */
  readonly causal?: boolean;
  /** Added to the scores before the softmax; broadcasts to [..., H, Lq, Lk]. */
  readonly mask?: Tensor;
}

/**
 * softmax(scale · Q·Kᵀ + mask) · V (Vaswani et al., 2017). q [..., H, Lq, D], k [..., H′, Lk, D], v [..., H′, Lk, E] →
 * [..., H, Lq, E], where H′ divides H and consecutive heads of q share one of k and v (grouped heads, Ainslie et al., 2023).
 * Composed of products and a softmax, so that probabilities are stored; `attention` stores none, and takes no masks.
 *
 * @throws RangeError where shapes do not fit
 */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { scale = 1 / Math.sqrt(q.extent(-1)), causal = false, mask }: ScaledDotProductOptions = {},
): Tensor {
  const [heads, queries, width] = q.shape.slice(-3) as [number, number, number];
  const [shared, keys] = k.shape.slice(-3) as [number, number];
  const leading = q.shape.slice(0, -3);
  const fits = [k, v].every(({ shape }) => shape.slice(0, -1).join() === [...leading, shared, keys].join());
  if (q.shape.length < 3 || !fits || k.extent(-1) !== width || heads % shared !== 0) {
    const shapes = [q, k, v].map(({ shape }) => `[${shape.join(', ')}]`);
    throw new RangeError(
      `scaledDotProductAttention: q ${shapes[0]}, k ${shapes[1]} and v ${shapes[2]} do not fit; give [..., H, Lq, D],` +
        ' [..., H′, Lk, D] and [..., H′, Lk, E], H′ dividing H',
    );
  }
  // Heads that share keys are as good as more queries of one head.
  const rows = [...leading, shared, (heads / shared) * queries, width];
  let scores = reshape(mul(matmul(reshape(q, rows), transpose(k)), scale), [
    ...leading,
    heads,
    queries,
    keys,
  ]);
  if (mask) scores = add(scores, mask);
  if (causal) scores = hideLaterKeys(scores);
  const weights = reshape(softmax(scores), [...leading, shared, (heads / shared) * queries, keys]);
  return reshape(matmul(weights, v), [...leading, heads, queries, v.extent(-1)]);
}

function hideLaterKeys(scores: Tensor): Tensor {
  const isLater = '(place % KEYS) > (place / KEYS) % QUERIES';
  const value = `select(a, -3.4028234e38, ${isLater})`;
  const data = { KEYS: scores.extent(-1), QUERIES: scores.extent(-2) };
  return pointwise(
    { name: 'causal', value, gradients: { a: `select(dy, 0.0, ${isLater})` } },
    { a: scores },
    data,
  );
}
