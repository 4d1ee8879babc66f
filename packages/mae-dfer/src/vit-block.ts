import type { RowScaling, Tensor } from '@tubelet/autograd';
import { layer, type Initialiser } from '@tubelet/autograd/layers';
import type { TransformerConfig } from './config.js';
import { branchNorm, feedForward, selfAttention } from './layers.js';

/** Draws of stochastic depth, [B] each. */
export interface VitDropPath {
  readonly attention?: RowScaling;
  readonly feedForward?: RowScaling;
}

/** A standard pre-norm transformer block on X [B, N, C]. */
export function vitBlock({ dim, heads }: Omit<TransformerConfig, 'depth'>, init: Initialiser) {
  const [norm1, norm2] = [branchNorm(dim), branchNorm(dim)];
  const attn = selfAttention(dim, heads, { init, stored: 'qkv' });
  const mlp = feedForward(dim, init);
  return layer(
    { norm1, attn, norm2, mlp },
    (x: Tensor, { dropPath }: { readonly dropPath?: VitDropPath } = {}) => {
      const { engine } = x;
      // X + Attention(LN(X))
      const mixed = engine.stage([x], (before) =>
        attn(norm1(before), { residual: before, rowScaling: dropPath?.attention }),
      );
      // X + FFN(LN(X))
      const rowScaling = dropPath?.feedForward;
      return engine.stage([mixed], (before) => mlp(norm2(before), { residual: before, rowScaling }), {
        consumes: true,
      });
    },
  );
}
