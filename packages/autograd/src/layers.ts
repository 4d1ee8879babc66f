import { layerNorm } from './ops/layer-norm.js';
import { linear, type LinearOptions, type RowScaling } from './ops/linear.js';
import { mlp } from './ops/mlp.js';
import type { ParameterSpec, ParameterStore } from './parameters.js';
import type { Tensor } from './tensor.js';

/*
 * A layer is a name in a parameter store: `…Specs` says what is stored under it, with PyTorch's names, and
 * `…Layer` applies it.
 */

/** `name.weight` [outputs, inputs], and `name.bias` [outputs] unless `bias` is false. */
export function linearSpecs(
  name: string,
  outputs: number,
  inputs: number,
  { bias = true }: { bias?: boolean } = {},
): ParameterSpec[] {
  const weight = { name: `${name}.weight`, shape: [outputs, inputs] };
  return bias ? [weight, { name: `${name}.bias`, shape: [outputs] }] : [weight];
}

/** `linear` with the weight and, where there is one, the bias of layer `name`: x [..., inputs] → [..., outputs]. */
export function linearLayer(
  store: ParameterStore,
  name: string,
  x: Tensor,
  options: Omit<LinearOptions, 'bias'> = {},
): Tensor {
  const bias = store.parameters.get(`${name}.bias`);
  return linear(x, store.get(`${name}.weight`), { ...options, ...(bias ? { bias } : {}) });
}

/** `name.weight` and `name.bias`, [width] each. */
export function layerNormSpecs(name: string, width: number): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [width] },
    { name: `${name}.bias`, shape: [width] },
  ];
}

/** `layerNorm` with the weight and bias of layer `name`: x [..., width] → the same shape. */
export function layerNormLayer(
  store: ParameterStore,
  name: string,
  x: Tensor,
  options: { epsilon?: number } = {},
): Tensor {
  return layerNorm(x, store.get(`${name}.weight`), store.get(`${name}.bias`), options);
}

/** `name.fc1` and `name.fc2`: two linear layers, width → hidden → width. */
export function mlpSpecs(name: string, width: number, hidden: number): ParameterSpec[] {
  return [...linearSpecs(`${name}.fc1`, hidden, width), ...linearSpecs(`${name}.fc2`, width, hidden)];
}

/** residual + fc2(GELU(fc1(x))), x and residual [..., width]. */
export function mlpLayer(
  store: ParameterStore,
  name: string,
  x: Tensor,
  { residual, rowScaling }: { residual: Tensor; rowScaling?: RowScaling },
): Tensor {
  return mlp({
    x,
    fc1Weight: store.get(`${name}.fc1.weight`),
    fc1Bias: store.get(`${name}.fc1.bias`),
    fc2Weight: store.get(`${name}.fc2.weight`),
    fc2Bias: store.get(`${name}.fc2.bias`),
    residual,
    rowScaling,
  });
}
