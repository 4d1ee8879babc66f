import {
  attention,
  linear,
  linearLayer,
  type ParameterStore,
  type RowScaling,
  type Tensor,
} from '@tubelet/autograd';
import { feedForward, norm } from './layers.js';

/** Draws of stochastic depth, [B] each. */
export interface VitDropPath {
  readonly attention?: RowScaling;
  readonly feedForward?: RowScaling;
}

/** A standard pre-norm transformer block on x [B, N, C]: x += Attention(norm1(x)); x += Mlp(norm2(x)). */
export function vitBlock(
  store: ParameterStore,
  name: string,
  x: Tensor,
  { heads, dropPath }: { heads: number; dropPath?: VitDropPath },
): Tensor {
  const { engine } = x;
  const attended = engine.tidy(() => {
    const qkv = linear(norm(store, `${name}.norm1`, x), store.get(`${name}.attn.qkv.weight`), {
      bias: store.pack(`${name}.attn.qkv_bias`),
    });
    return linearLayer(store, `${name}.attn.proj`, attention({ qkv, heads }), {
      residual: x,
      rowScaling: dropPath?.attention,
    });
  });
  return engine.tidy(() => feedForward(store, name, attended, dropPath?.feedForward), { consumes: attended });
}
