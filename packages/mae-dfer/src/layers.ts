import {
  attention,
  concat,
  copyInto,
  linear,
  pad,
  reshape,
  slice,
  type LinearOptions,
  type Tensor,
} from '@tubelet/autograd';
import {
  layer,
  layerNorm,
  linear as linearLayer,
  mlp,
  pack,
  parameter,
  zeros,
  type Initialiser,
} from '@tubelet/autograd/layers';
import { LAYER_NORM_EPSILON, MLP_RATIO } from './config.js';

/** Layer norm with the ε of both models. */
export const norm = (dim: number) => layerNorm(dim, { epsilon: LAYER_NORM_EPSILON });

/** The same in front of a branch of a block, which takes f16: where that is the precision, all of the branch is. */
export const branchNorm = (dim: number) => layerNorm(dim, { epsilon: LAYER_NORM_EPSILON, mayBeHalf: true });

/** The feed-forward network of both models. */
export const feedForward = (dim: number, init: Initialiser) => mlp(dim, MLP_RATIO * dim, { init });

/** What becomes of the projected result: added to a residual, and where it is written. */
type ResidualOptions = Pick<LinearOptions, 'residual' | 'rowScaling' | 'into'>;

type SelfAttentionCall = ResidualOptions & { readonly rowsOfGroups?: readonly number[] };

interface SelfAttentionOptions {
  readonly init: Initialiser;
  /** How the published weights are stored: one matrix, or that of queries apart from that of keys and values. */
  readonly stored: 'qkv' | 'q, kv';
}

/**
 * Multi-head attention of rows to those of the same group, whose keys have no bias: x [..., L, C] → the same shape. One
 * product projects queries, keys and values. With `rowsOfGroups`, the rows of each group behind so many are padding:
 * none attends to them, and they become the projection of 0.
 */
export function selfAttention(dim: number, heads: number, { init, stored }: SelfAttentionOptions) {
  const bias = pack([3 * dim], {
    q_bias: parameter([dim], zeros),
    k_bias: { gap: dim },
    v_bias: parameter([dim], zeros),
  });
  const weight =
    stored === 'qkv'
      ? parameter([3 * dim, dim], init)
      : pack([3 * dim, dim], {
          'q.weight': parameter([dim, dim], init),
          'kv.weight': parameter([2 * dim, dim], init),
        });
  const proj = linearLayer(dim, dim, { init });
  return layer(
    { qkv_bias: bias, [stored === 'qkv' ? 'qkv.weight' : 'qkv']: weight, proj },
    (x: Tensor, { rowsOfGroups, ...options }: SelfAttentionCall = {}) => {
      const projected = linear(x, weight.tensor, { bias: bias.tensor });
      const qkv = reshape(projected, [-1, x.extent(-2), 3 * dim]);
      const mixed = rowsOfGroups ? unevenAttention(qkv, heads, rowsOfGroups) : attention({ qkv, heads });
      return proj(reshape(mixed, x.shape), options);
    },
  );
}

/** Multi-head attention of x [B, ..., C] to a context [B, ..., C], keys without bias: the shape of the residual. */
export function crossAttention(dim: number, heads: number, init: Initialiser) {
  const qBias = parameter([dim], zeros);
  const kvBias = pack([2 * dim], { k_bias: { gap: dim }, v_bias: parameter([dim], zeros) });
  const [qWeight, kvWeight] = [parameter([dim, dim], init), parameter([2 * dim, dim], init)];
  const proj = linearLayer(dim, dim, { init });
  return layer(
    { q_bias: qBias, kv_bias: kvBias, 'q.weight': qWeight, 'kv.weight': kvWeight, proj },
    (x: Tensor, context: Tensor, options: ResidualOptions) => {
      const batch = x.extent(0);
      const queries = linear(x, qWeight.tensor, { bias: qBias.tensor });
      const keysAndValues = linear(context, kvWeight.tensor, { bias: kvBias.tensor });
      const [q, kv] = [reshape(queries, [batch, -1, dim]), reshape(keysAndValues, [batch, -1, 2 * dim])];
      return proj(attention({ q, kv, heads }), options);
    },
  );
}

/** Each group by itself, as many of its rows as it has: what is padding is 0 in the result. */
function unevenAttention(qkv: Tensor, heads: number, rowsOfGroups: readonly number[]): Tensor {
  const padded = qkv.extent(1);
  // Copies of parts are of f32.
  const { engine } = qkv;
  const whole = qkv.dtype === 'f32' ? qkv : copyInto(qkv, engine.empty(qkv.shape));
  const groups = rowsOfGroups.map((rows, group) => {
    const own = slice(slice(whole, 0, { start: group, end: group + 1 }), 1, { end: rows });
    return pad(attention({ qkv: own, heads }), [
      [0, 0],
      [0, padded - rows],
      [0, 0],
    ]);
  });
  return concat(groups, 0);
}
