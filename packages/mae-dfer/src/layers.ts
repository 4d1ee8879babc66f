import {
  layerNormLayer,
  mlpLayer,
  type ParameterStore,
  type RowScaling,
  type Tensor,
} from '@tubelet/autograd';
import { LAYER_NORM_EPSILON } from './config.js';

/** Layer norm with the ε of both models. */
export function norm(store: ParameterStore, name: string, x: Tensor): Tensor {
  return layerNormLayer(store, name, x, { epsilon: LAYER_NORM_EPSILON });
}

/** The feed-forward branch that LGI and ViT blocks share: x + scale · mlp(norm2(x)). */
export function feedForward(store: ParameterStore, name: string, x: Tensor, rowScaling?: RowScaling): Tensor {
  return mlpLayer(store, `${name}.mlp`, norm(store, `${name}.norm2`, x), { residual: x, rowScaling });
}
