import { gelu as geluOf } from '../ops/gelu.js';
import { embedding as embeddingOf } from '../ops/gather.js';
import { layerNorms, type LayerNormOperands } from '../ops/layer-norm.js';
import { permute, slice } from '../ops/layout.js';
import { linear as linearOf, type LinearOptions } from '../ops/linear.js';
import { mlp as mlpOf, type MlpOperands } from '../ops/mlp.js';
import { scaledDotProductAttention } from '../ops/scaled-dot-product-attention.js';
import { reshape } from '../ops/views.js';
import type { Tensor } from '../engine/tensor.js';
import { byFanIn, ones, truncatedNormal, uniform, zeros, type Initialiser } from './initialisers.js';
import { layer, parameter, tree, type Layer } from './layer.js';

/** How a linear layer begins. */
export interface LinearLayerOptions {
  /** Default true. */
  readonly bias?: boolean;
  /** Of the weight; then biases begin at zero. Default: both as in PyTorch, U(±1/√inputs). */
  readonly init?: Initialiser;
}

/** x·Wᵀ + b: x [..., inputs] → [..., outputs]. */
export function linear(
  inputs: number,
  outputs: number,
  { bias: isBiased = true, init }: LinearLayerOptions = {},
) {
  const { weight, bias } = affine(inputs, outputs, init);
  return layer(
    { weight, bias: isBiased ? bias : undefined },
    (x: Tensor, options: Omit<LinearOptions, 'bias'> = {}) =>
      linearOf(x, weight.tensor, { ...options, ...(isBiased && { bias: bias.tensor }) }),
  );
}

function affine(inputs: number, outputs: number, init?: Initialiser) {
  return {
    weight: parameter([outputs, inputs], init ?? byFanIn),
    bias: parameter([outputs], init ? zeros : uniform(1 / Math.sqrt(inputs))),
  };
}

/**
 * (x − mean) / √(var + ε) · weight + bias over the last axis: x [..., width] → the same shape. With `mayBeHalf` in f16
 * where that is the runtime's precision, for linear layers, `mlp` and `attention`.
 */
export function layerNorm(
  width: number,
  { epsilon = 1e-5, mayBeHalf }: { readonly epsilon?: number; readonly mayBeHalf?: boolean } = {},
) {
  const weight = parameter([width], ones);
  const bias = parameter([width], zeros);
  const run = layer({ weight, bias }, (x: Tensor) => layerNorms([operandsOf(x)])[0]!);
  /** The operands of the norm of x, for `layerNorms`. */
  const operandsOf = (x: Tensor): LayerNormOperands => ({
    ...{ x, weight: weight.tensor, bias: bias.tensor, epsilon, mayBeHalf },
  });
  return Object.assign(run, { operandsOf });
}

/** GELU of each element; it has no parameters. */
export function gelu(): Layer {
  return layer({}, (x: Tensor) => geluOf(x));
}

/** Rows of a table by their ids: [I...] → [I..., width]. First values are normal, σ = 0.02. */
export function embedding(
  count: number,
  width: number,
  { init = truncatedNormal(0.02, 1) }: { readonly init?: Initialiser } = {},
) {
  const weight = parameter([count, width], init);
  return layer({ weight }, (ids: Tensor) => embeddingOf(weight.tensor, ids));
}

/**
 * Multi-head attention of a sequence to itself (Vaswani et al., 2017), biases everywhere: x [B, L, width] → the same
 * shape. With `causal` a position sees itself and those before it.
 */
export function selfAttention(
  width: number,
  heads: number,
  { causal = false, init }: { readonly causal?: boolean } & Pick<LinearLayerOptions, 'init'> = {},
) {
  if (width % heads !== 0) {
    throw new RangeError(
      `selfAttention: ${heads} heads do not divide a width of ${width}: give a divisor of it`,
    );
  }
  const options = init ? { init } : {};
  const [qkv, proj] = [linear(width, 3 * width, options), linear(width, width, options)];
  return layer({ qkv, proj }, (x: Tensor) => {
    const [batch, length] = x.shape as [number, number, number];
    // [B, L, 3, heads, d] → [3, B, heads, L, d]
    const all = permute(reshape(qkv(x), [batch, length, 3, heads, width / heads]), [2, 0, 3, 1, 4]);
    const [q, k, v] = [0, 1, 2].map((i) =>
      reshape(slice(all, 0, { start: i, end: i + 1 }), [batch, heads, length, width / heads]),
    ) as [Tensor, Tensor, Tensor];
    const attended = permute(scaledDotProductAttention(q, k, v, { causal }), [0, 2, 1, 3]);
    return proj(reshape(attended, x.shape));
  });
}

/**
 * fc2(GELU(fc1(x))) added to a residual: x and residual [..., width] → the same shape. The hidden layer, [..., hidden],
 * is not read by kernels of its own.
 */
export function mlp(width: number, hidden: number, { init }: Pick<LinearLayerOptions, 'init'> = {}) {
  const [fc1, fc2] = [affine(width, hidden, init), affine(hidden, width, init)];
  return layer(
    { fc1: tree(fc1), fc2: tree(fc2) },
    (x: Tensor, rest: Pick<MlpOperands, 'residual' | 'rowScaling'>) =>
      mlpOf({
        x,
        fc1Weight: fc1.weight.tensor,
        fc1Bias: fc1.bias.tensor,
        fc2Weight: fc2.weight.tensor,
        fc2Bias: fc2.bias.tensor,
        ...rest,
      }),
  );
}

/** One layer after the other, named 0, 1, … */
export function sequential(...layers: readonly Layer[]): Layer {
  const children = Object.fromEntries(layers.map((each, i) => [i, each]));
  return layer(children, (x: Tensor) => layers.reduce((y, each) => each(y), x));
}

/**
 * A layer of which the backward pass keeps only the input, and which it then runs again (Chen et al., 2016): a fraction
 * of the memory for a second forward pass. Names stay as they are.
 */
export function recomputed(inner: Layer): Layer {
  return layer(inner.children, (x: Tensor) => x.engine.stage([x], inner, { recompute: true }));
}
