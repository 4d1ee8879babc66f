// Attention, gradients of the keys and values, with p, dp, D and ds as in attention-backward-query.wgsl:
//   dv[j] = Σᵢ pᵢⱼ dout[i],  dk[j] = scale · Σᵢ dsᵢⱼ q[i].
// Sums run over one of SPLITS chunks of CHUNK queries; with several, the stores are partial sums that
// attention-backward-reduce adds up. Without atomics, and in the same order every time.
//
// Header: math/exponential.wgsl; lanes-4.wgsl or lanes-1.wgsl;
// HEADS, HEAD_LANES, LQ, LK, SCALE; …_OFFSET, …_GROUP, …_ROW (in lanes) of
// Q, K, V, D_OUT, DK, DV; LOG_SUM_EXP_OFFSET; SPLITS, CHUNK, SPLIT_STRIDE (lanes from one chunk's stores to the
// next one's); TILES, GRID_X; gradients-split.wgsl or gradients-joined.wgsl.
// Layout: as in attention.wgsl; delta [G, H, LQ] contiguous from 0. One invocation has 4 keys and takes 4 query
// rows at a time, for the reasons given in attention.wgsl.

@group(0) @binding(2) var<storage, read> q: array<Lane>;
@group(0) @binding(3) var<storage, read> k: array<Lane>;
@group(0) @binding(4) var<storage, read> v: array<Lane>;
@group(0) @binding(5) var<storage, read> d_out: array<Lane>;
@group(0) @binding(6) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(7) var<storage, read> delta: array<f32>;

const BLOCKS = (LK + 3u) / 4u;
const STEPS = vec4u(0u, 1u, 2u, 3u);

// `count` in a form whose value compilers cannot tell, so that loops stay loops.
fn rolled(count: u32) -> u32 {
  return select(0u, count, arrayLength(&q) > 0u);
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tile = min((group.x + group.y * GRID_X) * 8u + lane, TILES - 1u);
  let j = (tile % BLOCKS) * 4u;
  let split = (tile / BLOCKS) % SPLITS;
  let h = (tile / (BLOCKS * SPLITS)) % HEADS;
  let g = tile / (BLOCKS * SPLITS * HEADS);
  let lanes = rolled(HEAD_LANES);
  // Keys beyond the last read that key again.
  let keys = min(vec4u(j) + STEPS, vec4u(LK - 1u));
  let k_rows = K_OFFSET + g * K_GROUP + h * HEAD_LANES + keys * K_ROW;
  let v_rows = V_OFFSET + g * V_GROUP + h * HEAD_LANES + keys * V_ROW;
  let q_head = Q_OFFSET + g * Q_GROUP + h * HEAD_LANES;
  let d_out_head = D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD_LANES;
  let statistics = (g * HEADS + h) * LQ;
  var key_sum0 = array<Lane, HEAD_LANES>();
  var key_sum1 = array<Lane, HEAD_LANES>();
  var key_sum2 = array<Lane, HEAD_LANES>();
  var key_sum3 = array<Lane, HEAD_LANES>();
  var value_sum0 = array<Lane, HEAD_LANES>();
  var value_sum1 = array<Lane, HEAD_LANES>();
  var value_sum2 = array<Lane, HEAD_LANES>();
  var value_sum3 = array<Lane, HEAD_LANES>();
  let end = min((split + 1u) * CHUNK, rolled(LQ));
  for (var i = split * CHUNK; i < end; i += 4u) {
    // Rows beyond the last read that row again and count nothing.
    let rows = min(vec4u(i) + STEPS, vec4u(end - 1u));
    let valid = vec4u(i) + STEPS < vec4u(end);
    let q_rows = q_head + rows * Q_ROW;
    let d_out_rows = d_out_head + rows * D_OUT_ROW;
    var s0 = vec4f();
    var s1 = vec4f();
    var s2 = vec4f();
    var s3 = vec4f();
    var dp0 = vec4f();
    var dp1 = vec4f();
    var dp2 = vec4f();
    var dp3 = vec4f();
    for (var c = 0u; c < lanes; c++) {
      let query = quad(q[q_rows.x + c], q[q_rows.y + c], q[q_rows.z + c], q[q_rows.w + c]);
      s0 += quad_dots(k[k_rows.x + c], query);
      s1 += quad_dots(k[k_rows.y + c], query);
      s2 += quad_dots(k[k_rows.z + c], query);
      s3 += quad_dots(k[k_rows.w + c], query);
      let gradient = quad(
        d_out[d_out_rows.x + c],
        d_out[d_out_rows.y + c],
        d_out[d_out_rows.z + c],
        d_out[d_out_rows.w + c],
      );
      dp0 += quad_dots(v[v_rows.x + c], gradient);
      dp1 += quad_dots(v[v_rows.y + c], gradient);
      dp2 += quad_dots(v[v_rows.z + c], gradient);
      dp3 += quad_dots(v[v_rows.w + c], gradient);
    }
    let at = statistics + rows;
    let l_at = LOG_SUM_EXP_OFFSET + at;
    let l = vec4f(log_sum_exp[l_at.x], log_sum_exp[l_at.y], log_sum_exp[l_at.z], log_sum_exp[l_at.w]);
    let d = vec4f(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
    let p0 = select(vec4f(), exponential4(s0 * SCALE - l), valid);
    let p1 = select(vec4f(), exponential4(s1 * SCALE - l), valid);
    let p2 = select(vec4f(), exponential4(s2 * SCALE - l), valid);
    let p3 = select(vec4f(), exponential4(s3 * SCALE - l), valid);
    let ds0 = p0 * (dp0 - d);
    let ds1 = p1 * (dp1 - d);
    let ds2 = p2 * (dp2 - d);
    let ds3 = p3 * (dp3 - d);
    for (var c = 0u; c < lanes; c++) {
      let query = quad(q[q_rows.x + c], q[q_rows.y + c], q[q_rows.z + c], q[q_rows.w + c]);
      key_sum0[c] += quad_sum(query, ds0);
      key_sum1[c] += quad_sum(query, ds1);
      key_sum2[c] += quad_sum(query, ds2);
      key_sum3[c] += quad_sum(query, ds3);
      let gradient = quad(
        d_out[d_out_rows.x + c],
        d_out[d_out_rows.y + c],
        d_out[d_out_rows.z + c],
        d_out[d_out_rows.w + c],
      );
      value_sum0[c] += quad_sum(gradient, p0);
      value_sum1[c] += quad_sum(gradient, p1);
      value_sum2[c] += quad_sum(gradient, p2);
      value_sum3[c] += quad_sum(gradient, p3);
    }
  }
  // A key beyond the last has computed the same as the last: storing twice does no harm.
  let dk_rows = DK_OFFSET + split * SPLIT_STRIDE + g * DK_GROUP + h * HEAD_LANES + keys * DK_ROW;
  let dv_rows = DV_OFFSET + split * SPLIT_STRIDE + g * DV_GROUP + h * HEAD_LANES + keys * DV_ROW;
  for (var c = 0u; c < lanes; c++) {
    store_dk(dk_rows.x + c, key_sum0[c] * SCALE);
    store_dk(dk_rows.y + c, key_sum1[c] * SCALE);
    store_dk(dk_rows.z + c, key_sum2[c] * SCALE);
    store_dk(dk_rows.w + c, key_sum3[c] * SCALE);
    store_dv(dv_rows.x + c, value_sum0[c]);
    store_dv(dv_rows.y + c, value_sum1[c]);
    store_dv(dv_rows.z + c, value_sum2[c]);
    store_dv(dv_rows.w + c, value_sum3[c]);
  }
}
