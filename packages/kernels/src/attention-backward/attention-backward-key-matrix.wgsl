// Attention, gradients of the keys and values, on matrix units: the mathematics and layout of
// attention-backward-key-tiled.wgsl, the division of work of attention-backward-query-matrix.wgsl with the roles of keys
// and queries exchanged.
//
// A workgroup owns TILE_K = STRIPS · UNIT_M keys of one head; k, v and both sums of its strip stay in a subgroup's
// registers. For each TILE_Q queries a subgroup multiplies k with Q and v with dout, which gives the scores and dp
// transposed, [keys, queries], as the products with dout and Q want them; four invocations share a row of them in the
// stage, and write p and ds as f16. p and ds are rounded to 2⁻¹¹ of themselves; those of queries beyond the chunk are 0.
//
// Header: STRIPS, TILE_Q (a multiple of 16, 2 · UNIT_N and UNIT_K; at most 32), as attention-matrix-operations.wgsl and
// attention-matrix-copies.wgsl, which precede it; attention-gradient-stores.wgsl.
// Data: attention-backward-key-arrays.wgsl.

const LOG2_E = 1.44269504;
const TILE_K = STRIPS * UNIT_M;
const P_STRIDE = TILE_Q / 4u + 2u;
// Of the stage: scores in the first half of a row, dp in the second.
const HALF = TILE_Q / 4u;
const STAGE_STRIDE = max(2u * TILE_Q, DEPTH) / 4u + 2u;
// Keys and then values; after that Q, dout, p and ds.
const D_OUTS = TILE_Q * STRIDE;
const WEIGHTS = 2u * D_OUTS;
const GRADIENTS = WEIGHTS + TILE_K * P_STRIDE;

var<workgroup> halves: array<vec4h, max(TILE_K * STRIDE, GRADIENTS + TILE_K * P_STRIDE)>;
var<workgroup> stage: array<vec4f, TILE_K * STAGE_STRIDE>;
// Of each query, in fours: D, and the log-sum-exp in units of ln 2.
var<workgroup> query_delta: array<f32, TILE_Q>;
var<workgroup> query_log_sum: array<f32, TILE_Q>;

fn four_deltas(i: u32) -> vec4f {
  return vec4f(query_delta[i], query_delta[i + 1u], query_delta[i + 2u], query_delta[i + 3u]);
}

fn four_log_sums(i: u32) -> vec4f {
  return vec4f(query_log_sum[i], query_log_sum[i + 1u], query_log_sum[i + 2u], query_log_sum[i + 3u]);
}

// p and ds of the n-th four queries of an invocation, of which there are TILE_Q / 16.
fn store_p_and_ds(key: u32, queries: u32, part: u32, n: u32) {
  if (n < TILE_Q / 16u) {
    let column = part + n * SHARERS;
    let valid = vec4u(4u * column) + STEPS < vec4u(queries);
    let at = key * STAGE_STRIDE + column;
    let p = exp2(stage[at] * (SCALE * LOG2_E) - four_log_sums(4u * column));
    let ds = p * (stage[at + HALF] - four_deltas(4u * column));
    halves[WEIGHTS + key * P_STRIDE + column] = vec4h(select(vec4f(), p, valid));
    halves[GRADIENTS + key * P_STRIDE + column] = vec4h(select(vec4f(), ds, valid));
  }
}

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_size) subgroup_size: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = group.x + group.y * GRID_X;
  if (tile >= TILES) {
    return;
  }
  let row = tile % BLOCKS * TILE_K;
  let split = (tile / BLOCKS) % SPLITS;
  let h = (tile / (BLOCKS * SPLITS)) % HEADS;
  let g = tile / (BLOCKS * SPLITS * HEADS);
  let end = min((split + 1u) * CHUNK, LQ);
  let k_rows = Rows(K_OFFSET + g * K_GROUP + h * HEAD, K_ROW, LK - 1u);
  let v_rows = Rows(V_OFFSET + g * V_GROUP + h * HEAD, V_ROW, LK - 1u);
  let q_rows = Rows(Q_OFFSET + g * Q_GROUP + h * HEAD, Q_ROW, end - 1u);
  let d_out_rows = Rows(D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD, D_OUT_ROW, end - 1u);
  let statistics = (g * HEADS + h) * LQ;
  // Invocations in the order in which subgroups hold them: four of one row are a quad of a subgroup.
  let member = subgroup * subgroup_size + lane;
  let part = member % SHARERS;
  let strip = subgroup * UNIT_M;

  var key: Lefts = Lefts();
  var value: Lefts = Lefts();
  var k_sum: Sums = Sums();
  var v_sum: Sums = Sums();
  copy_rows(&k, k_rows, row, TILE_K, 0u, index);
  workgroupBarrier();
  if (subgroup < STRIPS) {
    load_lefts(strip * STRIDE, STRIDE, &key);
  }
  workgroupBarrier();
  copy_rows(&v, v_rows, row, TILE_K, 0u, index);
  workgroupBarrier();
  if (subgroup < STRIPS) {
    load_lefts(strip * STRIDE, STRIDE, &value);
  }
  workgroupBarrier();

  for (var i = split * CHUNK; i < end; i += TILE_Q) {
    copy_two(&q, q_rows, 0u, &d_out, d_out_rows, D_OUTS, i, TILE_Q, index);
    for (var j = index; j < rolled(TILE_Q); j += INVOCATIONS) {
      let at = statistics + min(i + j, end - 1u);
      query_delta[j] = delta[at];
      query_log_sum[j] = log_sum_exp[LOG_SUM_EXP_OFFSET + at] * LOG2_E;
    }
    workgroupBarrier();
    if (subgroup < STRIPS) {
      for (var n = 0u; n < rolled(TILE_Q); n += 2u * UNIT_N) {
        let at = strip * STAGE_STRIDE + n / 4u;
        dots(&key, n * STRIDE, STRIDE, at, STAGE_STRIDE);
        dots(&value, D_OUTS + n * STRIDE, STRIDE, at + HALF, STAGE_STRIDE);
      }
    }
    workgroupBarrier();
    for (var r = member / SHARERS; r < rolled(TILE_K); r += ROWS_AT_ONCE) {
      store_p_and_ds(r, end - i, part, 0u);
      store_p_and_ds(r, end - i, part, 1u);
    }
    workgroupBarrier();
    if (subgroup < STRIPS) {
      for (var n = 0u; n < rolled(TILE_Q); n += UNIT_K) {
        let at = strip * P_STRIDE + n / 4u;
        let p = load_left(WEIGHTS + at, P_STRIDE);
        add_rows(p, D_OUTS + n * STRIDE, STRIDE, &v_sum);
        let ds = load_left(GRADIENTS + at, P_STRIDE);
        add_rows(ds, n * STRIDE, STRIDE, &k_sum);
      }
    }
    workgroupBarrier();
  }

  let dk_head = DK_OFFSET + split * SPLIT_STRIDE + g * DK_GROUP + h * HEAD;
  let dv_head = DV_OFFSET + split * SPLIT_STRIDE + g * DV_GROUP + h * HEAD;
  if (subgroup < STRIPS) {
    store_sums(strip * STAGE_STRIDE, STAGE_STRIDE, &k_sum);
  }
  workgroupBarrier();
  for (var i = index; i < rolled(TILE_K * VEC4S); i += INVOCATIONS) {
    let r = i / VEC4S;
    if (row + r < LK) {
      store_dk(dk_head + (row + r) * DK_ROW, i % VEC4S, stage[r * STAGE_STRIDE + i % VEC4S] * SCALE);
    }
  }
  workgroupBarrier();
  if (subgroup < STRIPS) {
    store_sums(strip * STAGE_STRIDE, STAGE_STRIDE, &v_sum);
  }
  workgroupBarrier();
  for (var i = index; i < rolled(TILE_K * VEC4S); i += INVOCATIONS) {
    let r = i / VEC4S;
    if (row + r < LK) {
      store_dv(dv_head + (row + r) * DV_ROW, i % VEC4S, stage[r * STAGE_STRIDE + i % VEC4S]);
    }
  }
}
