// Attention, all gradients of a window of few keys in one kernel: the mathematics of
// attention-backward-query-tiled.wgsl and attention-backward-key-tiled.wgsl, but for D, which is made of p and dp:
//   Dᵢ = Σⱼ pᵢⱼ dpᵢⱼ / Σⱼ pᵢⱼ.
// The divisor is 1 but for rounding, by which D and dp err alike then. It saves reading `out`, which is not used.
//
// Header: KEYS and QUERIES (multiples of four, at least LK and LQ: what private memory has room for);
// math/exponential.wgsl, attention-rows.wgsl, attention-gradient-stores.wgsl.
// Data: attention-backward-window-arrays.wgsl.
//
// Made for a processor, where loads count, as matmul-subgroup-broadcast.wgsl says. One invocation has a head of a
// group, and makes scores and dp once, by blocks of 4 queries and 4 keys; p and ds of all blocks stay in private
// memory, so that the sums of dq, and then of dk and dv, are begun and ended in registers: five products instead of the
// seven of two kernels. The keys and values lie in private memory too, whose loads are cheaper on llvmpipe than those
// of storage.
//
// Milliseconds of processor time for 64×11×11×8×64 and 8×80×8×8×64: two kernels 17 and 9, this one 9 and 4.3; 9.4
// and 5.6 with the queries of a block in private memory too; 10 and 4.9 with nothing there but p and ds, and of that
// 12.8 with 8 keys at a time, and 16 and 6.1 with two vec4s of dq, dk and dv (the registers hold eight sums of four, no
// more). Good to some 10 %.

const VEC4S = DEPTH / 4u;
const KEY_BLOCKS = KEYS / 4u;
const ONES = vec4f(1.0);
// Subtracted from a score, it makes the exponential 0.
const NEVER = 1e30;

fn four_rows(source: ptr<storage, array<Element>, read>, rows: vec4u, c: u32) -> mat4x4f {
  return mat4x4f(
    load_vec4(source, rows.x, c),
    load_vec4(source, rows.y, c),
    load_vec4(source, rows.z, c),
    load_vec4(source, rows.w, c),
  );
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  // Invocations beyond the last head do it again: storing twice does no harm.
  let tile = min((group.x + group.y * GRID_X) * 8u + index, TILES - 1u);
  let h = tile % HEADS;
  let g = tile / HEADS;
  let q_head = Q_OFFSET + g * Q_GROUP + h * HEAD;
  let k_head = K_OFFSET + g * K_GROUP + h * HEAD;
  let v_head = V_OFFSET + g * V_GROUP + h * HEAD;
  let d_out_head = D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD;
  let dq_head = DQ_OFFSET + g * DQ_GROUP + h * HEAD;
  let dk_head = DK_OFFSET + g * DK_GROUP + h * HEAD;
  let dv_head = DV_OFFSET + g * DV_GROUP + h * HEAD;
  let statistics = LOG_SUM_EXP_OFFSET + (g * HEADS + h) * LQ;
  let count = rolled(VEC4S);
  var keys_own = array<vec4f, KEYS * VEC4S>();
  var values_own = array<vec4f, KEYS * VEC4S>();
  for (var j = 0u; j < LK; j++) {
    for (var c = 0u; c < count; c++) {
      keys_own[j * VEC4S + c] = load_vec4(&k, k_head + j * K_ROW, c);
      values_own[j * VEC4S + c] = load_vec4(&v, v_head + j * V_ROW, c);
    }
  }
  // [query block][key block][query], of four keys.
  var weights = array<vec4f, QUERIES * KEY_BLOCKS>();
  var score_gradients = array<vec4f, QUERIES * KEY_BLOCKS>();

  for (var i = 0u; i < LQ; i += 4u) {
    // Rows beyond the last read that row again, and their p is 0.
    let rows = min(vec4u(i) + STEPS, vec4u(LQ - 1u));
    let q_rows = q_head + rows * Q_ROW;
    let d_out_rows = d_out_head + rows * D_OUT_ROW;
    let l_at = statistics + rows;
    let log_sums = vec4f(log_sum_exp[l_at.x], log_sum_exp[l_at.y], log_sum_exp[l_at.z], log_sum_exp[l_at.w]);
    let l = select(vec4f(NEVER), log_sums, vec4u(i) + STEPS < vec4u(LQ));
    let first = i * KEY_BLOCKS;
    var p_sum = vec4f();
    var p_dp_sum = vec4f();
    for (var j = 0u; j < LK; j += 4u) {
      // Keys beyond the last read that key again and count nothing.
      let keys = min(vec4u(j) + STEPS, vec4u(LK - 1u));
      let valid = vec4u(j) + STEPS < vec4u(LK);
      let at_keys = keys * VEC4S;
      var s0 = vec4f();
      var s1 = vec4f();
      var s2 = vec4f();
      var s3 = vec4f();
      var dp0 = vec4f();
      var dp1 = vec4f();
      var dp2 = vec4f();
      var dp3 = vec4f();
      for (var c = 0u; c < count; c++) {
        let key = mat4x4f(
          keys_own[at_keys.x + c],
          keys_own[at_keys.y + c],
          keys_own[at_keys.z + c],
          keys_own[at_keys.w + c],
        );
        s0 += load_vec4(&q, q_rows.x, c) * key;
        s1 += load_vec4(&q, q_rows.y, c) * key;
        s2 += load_vec4(&q, q_rows.z, c) * key;
        s3 += load_vec4(&q, q_rows.w, c) * key;
        let value = mat4x4f(
          values_own[at_keys.x + c],
          values_own[at_keys.y + c],
          values_own[at_keys.z + c],
          values_own[at_keys.w + c],
        );
        dp0 += load_vec4(&d_out, d_out_rows.x, c) * value;
        dp1 += load_vec4(&d_out, d_out_rows.y, c) * value;
        dp2 += load_vec4(&d_out, d_out_rows.z, c) * value;
        dp3 += load_vec4(&d_out, d_out_rows.w, c) * value;
      }
      let p0 = select(vec4f(), exponential4(s0 * SCALE - l.x), valid);
      let p1 = select(vec4f(), exponential4(s1 * SCALE - l.y), valid);
      let p2 = select(vec4f(), exponential4(s2 * SCALE - l.z), valid);
      let p3 = select(vec4f(), exponential4(s3 * SCALE - l.w), valid);
      p_sum += vec4f(dot(p0, ONES), dot(p1, ONES), dot(p2, ONES), dot(p3, ONES));
      p_dp_sum += vec4f(dot(p0, dp0), dot(p1, dp1), dot(p2, dp2), dot(p3, dp3));
      let at = first + j;
      weights[at] = p0;
      weights[at + 1u] = p1;
      weights[at + 2u] = p2;
      weights[at + 3u] = p3;
      score_gradients[at] = dp0;
      score_gradients[at + 1u] = dp1;
      score_gradients[at + 2u] = dp2;
      score_gradients[at + 3u] = dp3;
    }
    let d = p_dp_sum / max(p_sum, vec4f(1.0 / NEVER));
    for (var j = 0u; j < LK; j += 4u) {
      let at = first + j;
      score_gradients[at] = weights[at] * (score_gradients[at] - d.x);
      score_gradients[at + 1u] = weights[at + 1u] * (score_gradients[at + 1u] - d.y);
      score_gradients[at + 2u] = weights[at + 2u] * (score_gradients[at + 2u] - d.z);
      score_gradients[at + 3u] = weights[at + 3u] * (score_gradients[at + 3u] - d.w);
    }
    for (var c = 0u; c < count; c++) {
      var sum0 = vec4f();
      var sum1 = vec4f();
      var sum2 = vec4f();
      var sum3 = vec4f();
      for (var j = 0u; j < LK; j += 4u) {
        let at_keys = min(vec4u(j) + STEPS, vec4u(LK - 1u)) * VEC4S;
        let key = mat4x4f(
          keys_own[at_keys.x + c],
          keys_own[at_keys.y + c],
          keys_own[at_keys.z + c],
          keys_own[at_keys.w + c],
        );
        sum0 += key * score_gradients[first + j];
        sum1 += key * score_gradients[first + j + 1u];
        sum2 += key * score_gradients[first + j + 2u];
        sum3 += key * score_gradients[first + j + 3u];
      }
      // Last to first: a row beyond the last is overwritten by the last.
      let dq_rows = dq_head + rows * DQ_ROW;
      store_vec4(&dq, dq_rows.w, c, sum3 * SCALE);
      store_vec4(&dq, dq_rows.z, c, sum2 * SCALE);
      store_vec4(&dq, dq_rows.y, c, sum1 * SCALE);
      store_vec4(&dq, dq_rows.x, c, sum0 * SCALE);
    }
  }

  for (var j = 0u; j < LK; j += 4u) {
    let keys = min(vec4u(j) + STEPS, vec4u(LK - 1u));
    let dk_rows = dk_head + keys * DK_ROW;
    let dv_rows = dv_head + keys * DV_ROW;
    for (var c = 0u; c < count; c++) {
      var k_sum0 = vec4f();
      var k_sum1 = vec4f();
      var k_sum2 = vec4f();
      var k_sum3 = vec4f();
      var v_sum0 = vec4f();
      var v_sum1 = vec4f();
      var v_sum2 = vec4f();
      var v_sum3 = vec4f();
      for (var i = 0u; i < LQ; i += 4u) {
        let rows = min(vec4u(i) + STEPS, vec4u(LQ - 1u));
        let at = i * KEY_BLOCKS + j;
        let query = four_rows(&q, q_head + rows * Q_ROW, c);
        let ds = transpose(mat4x4f(
          score_gradients[at],
          score_gradients[at + 1u],
          score_gradients[at + 2u],
          score_gradients[at + 3u],
        ));
        k_sum0 += query * ds[0];
        k_sum1 += query * ds[1];
        k_sum2 += query * ds[2];
        k_sum3 += query * ds[3];
        let gradient = four_rows(&d_out, d_out_head + rows * D_OUT_ROW, c);
        let p = transpose(mat4x4f(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]));
        v_sum0 += gradient * p[0];
        v_sum1 += gradient * p[1];
        v_sum2 += gradient * p[2];
        v_sum3 += gradient * p[3];
      }
      store_dk(dk_rows.w, c, k_sum3 * SCALE);
      store_dk(dk_rows.z, c, k_sum2 * SCALE);
      store_dk(dk_rows.y, c, k_sum1 * SCALE);
      store_dk(dk_rows.x, c, k_sum0 * SCALE);
      store_dv(dv_rows.w, c, v_sum3);
      store_dv(dv_rows.z, c, v_sum2);
      store_dv(dv_rows.y, c, v_sum1);
      store_dv(dv_rows.x, c, v_sum0);
    }
  }
}
