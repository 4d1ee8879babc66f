// Attention, gradient of the queries, on matrix units: the mathematics and layout of
// attention-backward-query-tiled.wgsl, the division of work and the rounding of attention-matrix-units.wgsl.
//
// A workgroup owns TILE_Q = STRIPS · UNIT_M queries of one head; q, dout and the sums of its strip stay in a subgroup's
// registers. For each TILE_K keys a subgroup multiplies q with K and dout with V; four invocations share a row of
// scores and dp in the stage, make ds and write it, as f16, over the values, which are no longer needed; a subgroup
// adds ds times the keys. With the log-sum-exp at hand there is no maximum to run, and no sum to rescale. Beside the
// inputs, ds is rounded to f16, to 2⁻¹¹ of itself; D is that of the rounded dout, so that rows of ds still sum to zero.
// Keys beyond the last have a ds of zero.
//
// Header: STRIPS, TILE_K (a multiple of 16, 2 · UNIT_N and UNIT_K; at most 32), as attention-matrix-operations.wgsl and
// attention-matrix-copies.wgsl, which precede it. Data: attention-backward-query-arrays.wgsl.

const LOG2_E = 1.44269504;
const TILE_Q = STRIPS * UNIT_M;
const DS_STRIDE = TILE_K / 4u + 2u;
// Of the stage: scores in the first half of a row, dp in the second.
const HALF = TILE_K / 4u;
const STAGE_STRIDE = max(2u * TILE_K, DEPTH) / 4u + 2u;
// q, then dout; then keys, and after them in turn values and ds.
const VALUES = TILE_K * STRIDE;

var<workgroup> halves: array<vec4h, max(TILE_Q * STRIDE, VALUES + max(TILE_K * STRIDE, TILE_Q * DS_STRIDE))>;
var<workgroup> stage: array<vec4f, TILE_Q * STAGE_STRIDE>;
var<workgroup> row_delta: array<f32, TILE_Q>;
// In units of ln 2.
var<workgroup> row_log_sum: array<f32, TILE_Q>;

// ds of the n-th four keys of an invocation, of which there are TILE_K / 16.
fn store_ds(row: u32, key: u32, part: u32, n: u32) {
  if (n < TILE_K / 16u) {
    let column = part + n * SHARERS;
    let valid = vec4u(key + 4u * column) + STEPS < vec4u(LK);
    let at = row * STAGE_STRIDE + column;
    let p = exp2(stage[at] * (SCALE * LOG2_E) - row_log_sum[row]);
    let ds = p * (stage[at + HALF] - row_delta[row]);
    halves[VALUES + row * DS_STRIDE + column] = vec4h(select(vec4f(), ds, valid));
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
  let row = tile % BLOCKS * TILE_Q;
  let h = (tile / BLOCKS) % HEADS;
  let g = tile / (BLOCKS * HEADS);
  let q_rows = Rows(Q_OFFSET + g * Q_GROUP + h * HEAD, Q_ROW, LQ - 1u);
  let k_rows = Rows(K_OFFSET + g * K_GROUP + h * HEAD, K_ROW, LK - 1u);
  let v_rows = Rows(V_OFFSET + g * V_GROUP + h * HEAD, V_ROW, LK - 1u);
  let out_rows = Rows(OUT_OFFSET + g * OUT_GROUP + h * HEAD, OUT_ROW, LQ - 1u);
  let d_out_rows = Rows(D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD, D_OUT_ROW, LQ - 1u);
  let statistics = (g * HEADS + h) * LQ;
  // Invocations in the order in which subgroups hold them: four of one row are a quad of a subgroup.
  let member = subgroup * subgroup_size + lane;
  let part = member % SHARERS;
  let strip = subgroup * UNIT_M;

  var query: Lefts = Lefts();
  var gradient: Lefts = Lefts();
  var sum: Sums = Sums();
  copy_rows(&q, q_rows, row, TILE_Q, 0u, index);
  workgroupBarrier();
  if (subgroup < STRIPS) {
    load_lefts(strip * STRIDE, STRIDE, &query);
  }
  workgroupBarrier();
  copy_rows(&d_out, d_out_rows, row, TILE_Q, 0u, index);
  workgroupBarrier();
  if (subgroup < STRIPS) {
    load_lefts(strip * STRIDE, STRIDE, &gradient);
  }
  for (var first = 0u; first < rolled(TILE_Q); first += ROWS_AT_ONCE) {
    let own = first + member / SHARERS;
    let r = min(own, TILE_Q - 1u);
    var d = 0.0;
    for (var c = part; c < rolled(VEC4S); c += SHARERS) {
      d += dot(vec4f(halves[r * STRIDE + c]), indexed_vec4(&out, out_rows, row, r * VEC4S + c));
    }
    d += quadSwapX(d);
    d += quadSwapY(d);
    if (own < TILE_Q && part == 0u) {
      let i = statistics + min(row + own, LQ - 1u);
      row_delta[own] = d;
      row_log_sum[own] = log_sum_exp[LOG_SUM_EXP_OFFSET + i] * LOG2_E;
      if (row + own < LQ) {
        delta[i] = d;
      }
    }
  }
  workgroupBarrier();

  for (var key = 0u; key < LK; key += TILE_K) {
    copy_two(&k, k_rows, 0u, &v, v_rows, VALUES, key, TILE_K, index);
    workgroupBarrier();
    if (subgroup < STRIPS) {
      for (var n = 0u; n < rolled(TILE_K); n += 2u * UNIT_N) {
        let at = strip * STAGE_STRIDE + n / 4u;
        dots(&query, n * STRIDE, STRIDE, at, STAGE_STRIDE);
        dots(&gradient, VALUES + n * STRIDE, STRIDE, at + HALF, STAGE_STRIDE);
      }
    }
    workgroupBarrier();
    for (var r = member / SHARERS; r < rolled(TILE_Q); r += ROWS_AT_ONCE) {
      store_ds(r, key, part, 0u);
      store_ds(r, key, part, 1u);
    }
    workgroupBarrier();
    if (subgroup < STRIPS) {
      for (var n = 0u; n < rolled(TILE_K); n += UNIT_K) {
        let ds = load_left(VALUES + strip * DS_STRIDE + n / 4u, DS_STRIDE);
        add_rows(ds, n * STRIDE, STRIDE, &sum);
      }
    }
    workgroupBarrier();
  }

  if (subgroup < STRIPS) {
    store_sums(strip * STAGE_STRIDE, STAGE_STRIDE, &sum);
  }
  workgroupBarrier();
  let dq_head = DQ_OFFSET + g * DQ_GROUP + h * HEAD;
  for (var i = index; i < rolled(TILE_Q * VEC4S); i += INVOCATIONS) {
    let r = i / VEC4S;
    if (row + r < LQ) {
      store_vec4(&dq, dq_head + (row + r) * DQ_ROW, i % VEC4S, stage[r * STAGE_STRIDE + i % VEC4S] * SCALE);
    }
  }
}
