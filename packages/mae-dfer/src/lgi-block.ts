import {
  attention,
  concat,
  copyInto,
  join,
  linear,
  linearLayer,
  pad,
  reshape,
  slice,
  split,
  type ParameterStore,
  type RowScaling,
  type Tensor,
} from '@tubelet/autograd';
import { feedForward, norm } from './layers.js';

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

export interface LgiBlockOptions {
  readonly heads: number;
  readonly interRegion: boolean;
  readonly localGlobal: boolean;
  readonly dropPath?: LgiDropPath;
  /** [B·M]: local tokens of each region where the rows behind them are padding. */
  readonly tokensOfRegions?: readonly number[];
}

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
export function lgiBlock(
  store: ParameterStore,
  name: string,
  input: Tensor,
  options: LgiBlockOptions,
): Tensor {
  const { engine } = input;
  let x = engine.tidy(() => localAttention(store, name, input, options));
  if (options.interRegion || options.localGlobal) {
    x = engine.tidy(() => representativeSteps(store, name, x, options), { consumes: x });
  }
  return engine.tidy(() => feedForward(store, name, x, options.dropPath?.feedForward), { consumes: x });
}

function localAttention(
  store: ParameterStore,
  name: string,
  x: Tensor,
  { heads, dropPath, tokensOfRegions }: LgiBlockOptions,
): Tensor {
  const [batch, regions, rows, width] = x.shape as [number, number, number, number];
  const qkv = linear(norm(store, `${name}.first_attn_norm0`, x), store.pack(`${name}.first_attn.qkv`), {
    bias: store.pack(`${name}.first_attn.qkv_bias`),
  });
  const grouped = reshape(qkv, [batch * regions, rows, 3 * width]);
  const windows = tokensOfRegions
    ? unevenAttention(grouped, heads, tokensOfRegions)
    : attention({ qkv: grouped, heads });
  return linearLayer(store, `${name}.first_attn.proj`, reshape(windows, x.shape), {
    residual: x,
    rowScaling: dropPath?.local,
  });
}

// Each region by itself, its representative and as many local tokens as it has: what is padding is 0 in the result. All other
// steps are of rows or of representatives, so that padding reaches no token.
function unevenAttention(qkv: Tensor, heads: number, tokensOfRegions: readonly number[]): Tensor {
  const rows = qkv.extent(1);
  const windows = tokensOfRegions.map((tokens, region) => {
    const own = slice(slice(qkv, 0, { start: region, end: region + 1 }), 1, { end: 1 + tokens });
    return pad(attention({ qkv: own, heads }), [
      [0, 0],
      [0, rows - 1 - tokens],
      [0, 0],
    ]);
  });
  return concat(windows, 0);
}

// Steps 2 and 3. Step 3 reads the representatives that step 2 made.
function representativeSteps(
  store: ParameterStore,
  name: string,
  x: Tensor,
  options: LgiBlockOptions,
): Tensor {
  const rows = x.extent(2);
  const out = x.engine.empty(x.shape, 'f32', 'LGI block');
  const [representatives, locals] = split(x, 2, [1, rows - 1]) as [Tensor, Tensor];
  const place = { representatives: out.slice(2, 0, 1), locals: out.slice(2, 1, rows) };
  const mixed = options.interRegion
    ? interRegionAttention(store, name, representatives, options, place.representatives)
    : copyInto(representatives, place.representatives);
  const informed = options.localGlobal
    ? localGlobalAttention(store, name, locals, mixed, options, place.locals)
    : copyInto(locals, place.locals);
  return join(out, [mixed, informed]);
}

function interRegionAttention(
  store: ParameterStore,
  name: string,
  representatives: Tensor,
  { heads, dropPath }: LgiBlockOptions,
  into: Tensor['array'],
): Tensor {
  const [batch, regions, , width] = representatives.shape as [number, number, number, number];
  const normed = reshape(norm(store, `${name}.second_attn_norm0`, representatives), [batch, regions, width]);
  const qkv = linear(normed, store.pack(`${name}.second_attn.qkv`), {
    bias: store.pack(`${name}.second_attn.qkv_bias`),
  });
  return linearLayer(store, `${name}.second_attn.proj`, attention({ qkv, heads }), {
    residual: representatives,
    rowScaling: dropPath?.interRegion,
    into,
  });
}

function localGlobalAttention(
  store: ParameterStore,
  name: string,
  locals: Tensor,
  representatives: Tensor,
  { heads, dropPath }: LgiBlockOptions,
  into: Tensor['array'],
): Tensor {
  const [batch, regions, rows, width] = locals.shape as [number, number, number, number];
  const q = linear(
    norm(store, `${name}.third_attn_norm0`, locals),
    store.get(`${name}.third_attn.q.weight`),
    {
      bias: store.get(`${name}.third_attn.q_bias`),
    },
  );
  const context = norm(store, `${name}.third_attn_norm1`, representatives);
  const kv = linear(context, store.get(`${name}.third_attn.kv.weight`), {
    bias: store.pack(`${name}.third_attn.kv_bias`),
  });
  const attended = attention({
    q: reshape(q, [batch, regions * rows, width]),
    kv: reshape(kv, [batch, regions, 2 * width]),
    heads,
  });
  return linearLayer(store, `${name}.third_attn.proj`, attended, {
    residual: locals,
    rowScaling: dropPath?.localGlobal,
    into,
  });
}
