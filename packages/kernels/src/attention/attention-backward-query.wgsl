// Attention, gradient of the queries. The probabilities are made again from the log-sum-exp L of the forward:
//   pᵢⱼ = exp(scale · q[i]·k[j] − Lᵢ),  dpᵢⱼ = dout[i]·v[j],  Dᵢ = dout[i]·out[i] = Σⱼ pᵢⱼ dpᵢⱼ,
//   dsᵢⱼ = pᵢⱼ (dpᵢⱼ − Dᵢ),  dq[i] = scale · Σⱼ dsᵢⱼ k[j].    (Dao et al., 2022)
// D is written out for attention-backward-key.
//
// Header: lanes-4.wgsl or lanes-1.wgsl; HEADS, HEAD_LANES, LQ, LK, SCALE; …_OFFSET, …_GROUP, …_ROW (in lanes) of
// Q, K, V, OUT, D_OUT, DQ; LOG_SUM_EXP_OFFSET.
// Layout: as in attention.wgsl; delta [G, H, LQ] contiguous from 0. One invocation is a query row.

@group(0) @binding(0) var<storage, read_write> dq: array<Lane>;
@group(0) @binding(1) var<storage, read_write> delta: array<f32>;
@group(0) @binding(2) var<storage, read> q: array<Lane>;
@group(0) @binding(3) var<storage, read> k: array<Lane>;
@group(0) @binding(4) var<storage, read> v: array<Lane>;
@group(0) @binding(5) var<storage, read> out: array<Lane>;
@group(0) @binding(6) var<storage, read> d_out: array<Lane>;
@group(0) @binding(7) var<storage, read> log_sum_exp: array<f32>;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x * 8u + lane;
  let read_row = min(row, LQ - 1u);
  let head = group.y * HEAD_LANES;
  let statistic = (group.z * HEADS + group.y) * LQ + read_row;
  let q_row = Q_OFFSET + group.z * Q_GROUP + read_row * Q_ROW + head;
  let out_row = OUT_OFFSET + group.z * OUT_GROUP + read_row * OUT_ROW + head;
  let d_out_row = D_OUT_OFFSET + group.z * D_OUT_GROUP + read_row * D_OUT_ROW + head;
  var query = array<Lane, HEAD_LANES>();
  var gradient = array<Lane, HEAD_LANES>();
  var sum = array<Lane, HEAD_LANES>();
  var mean = 0.0;
  for (var c = 0u; c < HEAD_LANES; c++) {
    query[c] = q[q_row + c] * SCALE;
    let g = d_out[d_out_row + c];
    gradient[c] = g;
    mean += lane_dot(g, out[out_row + c]);
  }
  let l = log_sum_exp[LOG_SUM_EXP_OFFSET + statistic];
  let k_head = K_OFFSET + group.z * K_GROUP + head;
  let v_head = V_OFFSET + group.z * V_GROUP + head;
  for (var j = 0u; j < LK; j += 4u) {
    // Rows beyond the last key read that key again and count nothing.
    let rows = min(vec4u(j, j + 1u, j + 2u, j + 3u), vec4u(LK - 1u));
    let k_rows = k_head + rows * K_ROW;
    let v_rows = v_head + rows * V_ROW;
    var scores = vec4f();
    var dp = vec4f();
    for (var c = 0u; c < HEAD_LANES; c++) {
      let x = query[c];
      scores += vec4f(
        lane_dot(x, k[k_rows.x + c]),
        lane_dot(x, k[k_rows.y + c]),
        lane_dot(x, k[k_rows.z + c]),
        lane_dot(x, k[k_rows.w + c]),
      );
      let g = gradient[c];
      dp += vec4f(
        lane_dot(g, v[v_rows.x + c]),
        lane_dot(g, v[v_rows.y + c]),
        lane_dot(g, v[v_rows.z + c]),
        lane_dot(g, v[v_rows.w + c]),
      );
    }
    let valid = vec4u(j, j + 1u, j + 2u, j + 3u) < vec4u(LK);
    let ds = select(vec4f(), exp(scores - l) * (dp - mean), valid);
    for (var c = 0u; c < HEAD_LANES; c++) {
      sum[c] += (ds.x * k[k_rows.x + c] + ds.y * k[k_rows.y + c]) + (ds.z * k[k_rows.z + c] + ds.w * k[k_rows.w + c]);
    }
  }
  if (row < LQ) {
    delta[statistic] = mean;
    let dq_row = DQ_OFFSET + group.z * DQ_GROUP + row * DQ_ROW + head;
    for (var c = 0u; c < HEAD_LANES; c++) {
      dq[dq_row + c] = sum[c] * SCALE;
    }
  }
}
