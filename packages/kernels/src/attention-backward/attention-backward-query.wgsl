// Attention, gradient of the queries. The probabilities are made again from the log-sum-exp L of the forward:
//   pᵢⱼ = exp(scale · q[i]·k[j] − Lᵢ),  dpᵢⱼ = dout[i]·v[j],  Dᵢ = dout[i]·out[i] = Σⱼ pᵢⱼ dpᵢⱼ,
//   dsᵢⱼ = pᵢⱼ (dpᵢⱼ − Dᵢ),  dq[i] = scale · Σⱼ dsᵢⱼ k[j].    (Dao et al., 2022)
// D is written out for attention-backward-key.
//
// Header: math/exponential.wgsl; lanes-4.wgsl or lanes-1.wgsl;
// HEADS, HEAD_LANES, LQ, LK, SCALE; …_OFFSET, …_GROUP, …_ROW (in lanes) of
// Q, K, V, OUT, D_OUT, DQ; LOG_SUM_EXP_OFFSET; TILES, GRID_X.
// Layout: as in attention.wgsl; delta [G, H, LQ] contiguous from 0. One invocation has 4 query rows and takes 4
// keys at a time, for the reasons given in attention.wgsl.

@group(0) @binding(0) var<storage, read_write> dq: array<Lane>;
@group(0) @binding(1) var<storage, read_write> delta: array<f32>;
@group(0) @binding(2) var<storage, read> q: array<Lane>;
@group(0) @binding(3) var<storage, read> k: array<Lane>;
@group(0) @binding(4) var<storage, read> v: array<Lane>;
@group(0) @binding(5) var<storage, read> out: array<Lane>;
@group(0) @binding(6) var<storage, read> d_out: array<Lane>;
@group(0) @binding(7) var<storage, read> log_sum_exp: array<f32>;

const BLOCKS = (LQ + 3u) / 4u;
const STEPS = vec4u(0u, 1u, 2u, 3u);

// `count` in a form whose value compilers cannot tell, so that loops stay loops.
fn rolled(count: u32) -> u32 {
  return select(0u, count, arrayLength(&q) > 0u);
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tile = min((group.x + group.y * GRID_X) * 8u + lane, TILES - 1u);
  let i = (tile % BLOCKS) * 4u;
  let h = (tile / BLOCKS) % HEADS;
  let g = tile / (BLOCKS * HEADS);
  let lanes = rolled(HEAD_LANES);
  // Rows beyond the last read that row again.
  let rows = min(vec4u(i) + STEPS, vec4u(LQ - 1u));
  let q_rows = Q_OFFSET + g * Q_GROUP + h * HEAD_LANES + rows * Q_ROW;
  let out_rows = OUT_OFFSET + g * OUT_GROUP + h * HEAD_LANES + rows * OUT_ROW;
  let d_out_rows = D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD_LANES + rows * D_OUT_ROW;
  let statistics = (g * HEADS + h) * LQ + rows;
  var d = vec4f();
  for (var c = 0u; c < lanes; c++) {
    d += vec4f(
      lane_dot(out[out_rows.x + c], d_out[d_out_rows.x + c]),
      lane_dot(out[out_rows.y + c], d_out[d_out_rows.y + c]),
      lane_dot(out[out_rows.z + c], d_out[d_out_rows.z + c]),
      lane_dot(out[out_rows.w + c], d_out[d_out_rows.w + c]),
    );
  }
  let l_at = LOG_SUM_EXP_OFFSET + statistics;
  let l = vec4f(log_sum_exp[l_at.x], log_sum_exp[l_at.y], log_sum_exp[l_at.z], log_sum_exp[l_at.w]);
  let k_head = K_OFFSET + g * K_GROUP + h * HEAD_LANES;
  let v_head = V_OFFSET + g * V_GROUP + h * HEAD_LANES;
  var sum0 = array<Lane, HEAD_LANES>();
  var sum1 = array<Lane, HEAD_LANES>();
  var sum2 = array<Lane, HEAD_LANES>();
  var sum3 = array<Lane, HEAD_LANES>();
  for (var j = 0u; j < rolled(LK); j += 4u) {
    // Keys beyond the last read that key again and count nothing.
    let keys = min(vec4u(j) + STEPS, vec4u(LK - 1u));
    let valid = vec4u(j) + STEPS < vec4u(LK);
    let k_rows = k_head + keys * K_ROW;
    let v_rows = v_head + keys * V_ROW;
    var s0 = vec4f();
    var s1 = vec4f();
    var s2 = vec4f();
    var s3 = vec4f();
    var dp0 = vec4f();
    var dp1 = vec4f();
    var dp2 = vec4f();
    var dp3 = vec4f();
    for (var c = 0u; c < lanes; c++) {
      let key = quad(k[k_rows.x + c], k[k_rows.y + c], k[k_rows.z + c], k[k_rows.w + c]);
      s0 += quad_dots(q[q_rows.x + c], key);
      s1 += quad_dots(q[q_rows.y + c], key);
      s2 += quad_dots(q[q_rows.z + c], key);
      s3 += quad_dots(q[q_rows.w + c], key);
      let value = quad(v[v_rows.x + c], v[v_rows.y + c], v[v_rows.z + c], v[v_rows.w + c]);
      dp0 += quad_dots(d_out[d_out_rows.x + c], value);
      dp1 += quad_dots(d_out[d_out_rows.y + c], value);
      dp2 += quad_dots(d_out[d_out_rows.z + c], value);
      dp3 += quad_dots(d_out[d_out_rows.w + c], value);
    }
    let ds0 = select(vec4f(), exponential4(s0 * SCALE - l.x) * (dp0 - d.x), valid);
    let ds1 = select(vec4f(), exponential4(s1 * SCALE - l.y) * (dp1 - d.y), valid);
    let ds2 = select(vec4f(), exponential4(s2 * SCALE - l.z) * (dp2 - d.z), valid);
    let ds3 = select(vec4f(), exponential4(s3 * SCALE - l.w) * (dp3 - d.w), valid);
    for (var c = 0u; c < lanes; c++) {
      let key = quad(k[k_rows.x + c], k[k_rows.y + c], k[k_rows.z + c], k[k_rows.w + c]);
      sum0[c] += quad_sum(key, ds0);
      sum1[c] += quad_sum(key, ds1);
      sum2[c] += quad_sum(key, ds2);
      sum3[c] += quad_sum(key, ds3);
    }
  }
  // A row beyond the last has computed the same as the last: storing twice does no harm.
  let dq_rows = DQ_OFFSET + g * DQ_GROUP + h * HEAD_LANES + rows * DQ_ROW;
  for (var c = 0u; c < lanes; c++) {
    dq[dq_rows.x + c] = sum0[c] * SCALE;
    dq[dq_rows.y + c] = sum1[c] * SCALE;
    dq[dq_rows.z + c] = sum2[c] * SCALE;
    dq[dq_rows.w + c] = sum3[c] * SCALE;
  }
  delta[statistics.x] = d.x;
  delta[statistics.y] = d.y;
  delta[statistics.z] = d.z;
  delta[statistics.w] = d.w;
}
