import { layerNorm, mlp, type ParameterStore, type RowScaling, type Tensor } from '@tubelet/autograd';
import { LAYER_NORM_EPSILON } from './config.js';

/** Layer norm by parameter name. */
export function norm(store: ParameterStore, name: string, x: Tensor): Tensor {
  return layerNorm(x, store.get(`${name}.weight`), store.get(`${name}.bias`), {
    epsilon: LAYER_NORM_EPSILON,
  });
}

/** The feed-forward branch that LGI and ViT blocks share. */
export function feedForward(store: ParameterStore, name: string, x: Tensor, rowScaling?: RowScaling): Tensor {
  return mlp({
    x: norm(store, `${name}.norm2`, x),
    fc1Weight: store.get(`${name}.mlp.fc1.weight`),
    fc1Bias: store.get(`${name}.mlp.fc1.bias`),
    fc2Weight: store.get(`${name}.mlp.fc2.weight`),
    fc2Bias: store.get(`${name}.mlp.fc2.bias`),
    residual: x,
    rowScaling,
  });
}
