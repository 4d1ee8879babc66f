import { copyInto, join, layerNorms, reshape, split, type RowScaling, type Tensor } from '@tubelet/autograd';
import { layer, type Initialiser } from '@tubelet/autograd/layers';
import type { LgiFormerConfig } from './config.js';
import { branchNorm, crossAttention, feedForward, selfAttention } from './layers.js';

/** Draws of stochastic depth for the four branches of a block; undefined branches are kept as they are. */
export interface LgiDropPath {
  /** [B·M]: each region of each clip is kept or dropped by itself. */
  readonly local?: RowScaling;
  /** [B] */
  readonly interRegion?: RowScaling;
  /** [B] */
  readonly localGlobal?: RowScaling;
  /** [B·M] */
  readonly feedForward?: RowScaling;
}

/** What a pass through a block depends on besides its tokens. */
export interface LgiBlockOptions {
  readonly dropPath?: LgiDropPath;
  /** [B·M]: local tokens of each region where the rows behind them are padding. */
  readonly tokensOfRegions?: readonly number[];
}

/** What a block is made of. */
export type LgiBlockConfig = Pick<LgiFormerConfig, 'dim' | 'heads' | 'interRegion' | 'localGlobal'>;

/**
 * One block of LGI-Former on region-major tokens X [B, M, 1+N, C], row 0 of a region being its representative:
 *
 * 1. local: every region attends within itself, representative included;
 * 2. global inter-region: the representatives of a clip attend to each other;
 * 3. local–global: every local token attends to all representatives of its clip;
 * 4. one feed-forward network for all tokens.
 *
 * Pre-norm, residual, all norms separate. Representatives and local tokens are views of one buffer: results
 * of steps 2 and 3 are written straight into the rows where step 4 reads them.
 */
export function lgiBlock({ dim, heads, interRegion, localGlobal }: LgiBlockConfig, init: Initialiser) {
  const attentionWithin = () => selfAttention(dim, heads, { init, stored: 'q, kv' });
  const [localNorm, local] = [branchNorm(dim), attentionWithin()];
  const second = interRegion ? { norm: branchNorm(dim), attend: attentionWithin() } : undefined;
  const third = localGlobal
    ? { norm: branchNorm(dim), contextNorm: branchNorm(dim), attend: crossAttention(dim, heads, init) }
    : undefined;
  const [norm2, mlp] = [branchNorm(dim), feedForward(dim, init)];

  // X + LA(LN(X)) of each region
  function attendLocally(x: Tensor, { dropPath, tokensOfRegions }: LgiBlockOptions): Tensor {
    const rowsOfGroups = tokensOfRegions?.map((tokens) => 1 + tokens);
    return local(localNorm(x), { residual: x, rowScaling: dropPath?.local, rowsOfGroups });
  }

  // S + GA(LN(S)), and then L + LGA(LN(L), LN(S)) of the new S
  function attendGlobally(x: Tensor, { dropPath }: LgiBlockOptions): Tensor {
    const [batch, regions, rows] = x.shape as [number, number, number];
    const out = x.engine.empty(x.shape, 'f32', 'LGI block');
    const [s, l] = split(x, 2, [1, rows - 1]) as [Tensor, Tensor];
    const [intoS, intoL] = [out.slice(2, 0, 1), out.slice(2, 1, rows)];
    // The norms of the rows that the two steps find can be made side by side.
    const norms = layerNorms([
      ...(second ? [second.norm.operandsOf(s)] : []),
      ...(third ? [third.norm.operandsOf(l)] : []),
    ]);
    const mixed = second
      ? second.attend(reshape(norms[0]!, [batch, regions, dim]), {
          ...{ residual: s, rowScaling: dropPath?.interRegion, into: intoS },
        })
      : copyInto(s, intoS);
    const informed = third
      ? third.attend(norms.at(-1)!, third.contextNorm(mixed), {
          ...{ residual: l, rowScaling: dropPath?.localGlobal, into: intoL },
        })
      : copyInto(l, intoL);
    return join(out, [mixed, informed]);
  }

  return layer(
    {
      ...{ first_attn_norm0: localNorm, first_attn: local },
      ...{ second_attn_norm0: second?.norm, second_attn: second?.attend },
      ...{ third_attn_norm0: third?.norm, third_attn_norm1: third?.contextNorm, third_attn: third?.attend },
      norm2,
      mlp,
    },
    (input: Tensor, options: LgiBlockOptions = {}) => {
      const { engine } = input;
      let x = engine.stage([input], (before) => attendLocally(before, options));
      if (second || third) {
        x = engine.stage([x], (before) => attendGlobally(before, options), { consumes: true });
      }
      // X + FFN(LN(X))
      const rowScaling = options.dropPath?.feedForward;
      return engine.stage([x], (before) => mlp(norm2(before), { residual: before, rowScaling }), {
        consumes: true,
      });
    },
  );
}
