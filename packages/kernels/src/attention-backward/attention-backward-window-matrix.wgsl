// Attention, all gradients of a window in one kernel on matrix units: the mathematics of
// attention-backward-query-tiled.wgsl and attention-backward-key-tiled.wgsl, the rounding of
// attention-backward-key-matrix.wgsl.
//
// A workgroup owns all keys of one head of one group, STRIPS · UNIT_M of them, so that scores and dp are made once:
// five products instead of the seven of two kernels, and every array is read once. A subgroup keeps v and the sums of
// dk and dv of its strip of keys in registers; the keys stay in workgroup memory, where dq wants all of them. For each
// TILE_Q queries:
//   1. all copy Q and dout;
//   2. four invocations a query make D = rowsum(dout ∘ out) of dout as it was rounded, or else ds of a query would not
//      sum to zero; a subgroup multiplies k with Q and v with dout, which gives scores and dp transposed, [keys,
// queries];
//   3. four invocations share a row of the stage, and write p and ds as f16;
//   4. a subgroup adds to dk and dv of its strip, and makes its share of the units of dq, a sum over all keys, which
//      leave through the stage.
// p and ds of keys and queries beyond the last are 0. D is made of what lies in workgroup memory: a compiler may leave
// out a rounding to f16 that is widened again at once, and one did, which made dq four times less exact.
//
// Header: STRIPS, TILE_Q (a multiple of 16, UNIT_M, UNIT_N and UNIT_K), as attention-matrix-operations.wgsl and
// attention-matrix-copies.wgsl, which precede it; attention-gradient-stores.wgsl. STRIPS · UNIT_M is a multiple of
// UNIT_K. Data: attention-backward-window-arrays.wgsl.

const LOG2_E = 1.44269504;
const TILE_K = STRIPS * UNIT_M;
const P_STRIDE = TILE_Q / 4u + 2u;
// Of the stage: scores in the first half of a row, dp in the second; or dq, or a strip of dk or dv, by rows of DEPTH.
const HALF = TILE_Q / 4u;
const STAGE_STRIDE = 2u * HALF + 1u;
const SUM_STRIDE = VEC4S + 1u;
const STAGE = max(TILE_K * STAGE_STRIDE, max(TILE_Q, UNIT_M) * SUM_STRIDE);
// Strips whose sums the stage holds at a time.
const STRIPS_AT_ONCE = min(STRIPS, STAGE / (UNIT_M * SUM_STRIDE));
// Values and then keys; after those Q, dout, p and ds.
const QUERIES = TILE_K * STRIDE;
const D_OUTS = QUERIES + TILE_Q * STRIDE;
const WEIGHTS = D_OUTS + TILE_Q * STRIDE;
const GRADIENTS = WEIGHTS + TILE_K * P_STRIDE;
const DQ_UNITS_ACROSS = DEPTH / UNIT_N;
const DQ_UNITS = TILE_Q / UNIT_M * DQ_UNITS_ACROSS;

var<workgroup> halves: array<vec4h, GRADIENTS + TILE_K * P_STRIDE>;
var<workgroup> stage: array<vec4f, STAGE>;
// Of each query: D, and the log-sum-exp in units of ln 2.
var<workgroup> query_delta: array<f32, TILE_Q>;
var<workgroup> query_log_sum: array<f32, TILE_Q>;

fn four_deltas(i: u32) -> vec4f {
  return vec4f(query_delta[i], query_delta[i + 1u], query_delta[i + 2u], query_delta[i + 3u]);
}

fn four_log_sums(i: u32) -> vec4f {
  return vec4f(query_log_sum[i], query_log_sum[i + 1u], query_log_sum[i + 2u], query_log_sum[i + 3u]);
}

// p and ds of four queries and one key.
fn store_p_and_ds(key: u32, query: u32, column: u32) {
  let valid = vec4u(query + 4u * column) + STEPS < vec4u(select(0u, LQ, key < LK));
  let at = key * STAGE_STRIDE + column;
  let p = exp2(stage[at] * (SCALE * LOG2_E) - four_log_sums(4u * column));
  let ds = p * (stage[at + HALF] - four_deltas(4u * column));
  halves[WEIGHTS + key * P_STRIDE + column] = vec4h(select(vec4f(), p, valid));
  halves[GRADIENTS + key * P_STRIDE + column] = vec4h(select(vec4f(), ds, valid));
}

// Unit u of dq, from ds of all keys, into the stage.
fn make_dq(u: u32) {
  let down = u / DQ_UNITS_ACROSS * UNIT_M;
  let across = u % DQ_UNITS_ACROSS * SUM_STEP;
  var sum: SumUnit = SumUnit();
  for (var key = 0u; key < rolled(TILE_K); key += UNIT_K) {
    let ds = load_left_transposed(GRADIENTS + key * P_STRIDE + down / 4u, P_STRIDE);
    sum = multiply_add(ds, load_right(key * STRIDE + across, STRIDE), sum);
  }
  store_sum(down * SUM_STRIDE + across, SUM_STRIDE, sum);
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
  let h = tile % HEADS;
  let g = tile / HEADS;
  let q_rows = Rows(Q_OFFSET + g * Q_GROUP + h * HEAD, Q_ROW, LQ - 1u);
  let k_rows = Rows(K_OFFSET + g * K_GROUP + h * HEAD, K_ROW, LK - 1u);
  let v_rows = Rows(V_OFFSET + g * V_GROUP + h * HEAD, V_ROW, LK - 1u);
  let out_rows = Rows(OUT_OFFSET + g * OUT_GROUP + h * HEAD, OUT_ROW, LQ - 1u);
  let d_out_rows = Rows(D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD, D_OUT_ROW, LQ - 1u);
  let dq_head = DQ_OFFSET + g * DQ_GROUP + h * HEAD;
  let dk_head = DK_OFFSET + g * DK_GROUP + h * HEAD;
  let dv_head = DV_OFFSET + g * DV_GROUP + h * HEAD;
  let statistics = LOG_SUM_EXP_OFFSET + (g * HEADS + h) * LQ;
  // Invocations in the order in which subgroups hold them: four of one row are a quad of a subgroup.
  let member = subgroup * subgroup_size + lane;
  let part = member % SHARERS;
  let strip = subgroup * UNIT_M;

  var value: Lefts = Lefts();
  var k_sum: Sums = Sums();
  var v_sum: Sums = Sums();
  copy_rows(&v, v_rows, 0u, TILE_K, 0u, index);
  workgroupBarrier();
  if (subgroup < STRIPS) {
    load_lefts(strip * STRIDE, STRIDE, &value);
  }
  workgroupBarrier();
  copy_rows(&k, k_rows, 0u, TILE_K, 0u, index);

  for (var i = 0u; i < LQ; i += TILE_Q) {
    copy_two(&q, q_rows, QUERIES, &d_out, d_out_rows, D_OUTS, i, TILE_Q, index);
    workgroupBarrier();
    for (var first = 0u; first < rolled(TILE_Q); first += ROWS_AT_ONCE) {
      let r = first + member / SHARERS;
      var d = 0.0;
      if (r < TILE_Q) {
        for (var c = part; c < rolled(VEC4S); c += SHARERS) {
          d += dot(vec4f(halves[D_OUTS + r * STRIDE + c]), indexed_vec4(&out, out_rows, i, r * VEC4S + c));
        }
      }
      d += quadSwapX(d);
      d += quadSwapY(d);
      if (r < TILE_Q && part == 0u) {
        query_delta[r] = d;
        query_log_sum[r] = log_sum_exp[statistics + min(i + r, LQ - 1u)] * LOG2_E;
      }
    }
    if (subgroup < STRIPS) {
      for (var n = 0u; n < rolled(TILE_Q); n += UNIT_N) {
        let row = n * STRIDE;
        let at = strip * STAGE_STRIDE + n / 4u;
        dots_of_two(strip * STRIDE, QUERIES + row, &value, D_OUTS + row, STRIDE, at, at + HALF, STAGE_STRIDE);
      }
    }
    workgroupBarrier();
    for (var r = member / SHARERS; r < rolled(TILE_K); r += ROWS_AT_ONCE) {
      for (var column = part; column < HALF; column += SHARERS) {
        store_p_and_ds(r, i, column);
      }
    }
    workgroupBarrier();
    if (subgroup < STRIPS) {
      for (var n = 0u; n < rolled(TILE_Q); n += UNIT_K) {
        let at = strip * P_STRIDE + n / 4u;
        let p = load_left(WEIGHTS + at, P_STRIDE);
        add_rows(p, D_OUTS + n * STRIDE, STRIDE, &v_sum);
        let ds = load_left(GRADIENTS + at, P_STRIDE);
        add_rows(ds, QUERIES + n * STRIDE, STRIDE, &k_sum);
      }
      for (var u = subgroup; u < rolled(DQ_UNITS); u += STRIPS) {
        make_dq(u);
      }
    }
    workgroupBarrier();
    // The stage is next written after another barrier.
    for (var j = index; j < rolled(TILE_Q * VEC4S); j += INVOCATIONS) {
      let r = j / VEC4S;
      if (i + r < LQ) {
        store_vec4(&dq, dq_head + (i + r) * DQ_ROW, j % VEC4S, stage[r * SUM_STRIDE + j % VEC4S] * SCALE);
      }
    }
  }

  for (var first = 0u; first < rolled(STRIPS); first += STRIPS_AT_ONCE) {
    let count = min(STRIPS_AT_ONCE, STRIPS - first) * UNIT_M * VEC4S;
    let staged = (subgroup - first) * UNIT_M * SUM_STRIDE;
    let row = first * UNIT_M;
    workgroupBarrier();
    if (subgroup >= first && subgroup < min(first + STRIPS_AT_ONCE, STRIPS)) {
      store_sums(staged, SUM_STRIDE, &k_sum);
    }
    workgroupBarrier();
    for (var j = index; j < count; j += INVOCATIONS) {
      let r = row + j / VEC4S;
      if (r < LK) {
        store_dk(dk_head + r * DK_ROW, j % VEC4S, stage[j / VEC4S * SUM_STRIDE + j % VEC4S] * SCALE);
      }
    }
    workgroupBarrier();
    if (subgroup >= first && subgroup < min(first + STRIPS_AT_ONCE, STRIPS)) {
      store_sums(staged, SUM_STRIDE, &v_sum);
    }
    workgroupBarrier();
    for (var j = index; j < count; j += INVOCATIONS) {
      let r = row + j / VEC4S;
      if (r < LK) {
        store_dv(dv_head + r * DV_ROW, j % VEC4S, stage[j / VEC4S * SUM_STRIDE + j % VEC4S]);
      }
    }
  }
}
