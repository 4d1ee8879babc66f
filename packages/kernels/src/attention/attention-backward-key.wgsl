// Attention, gradients of the keys and values, with p, dp, D and ds as in attention-backward-query.wgsl:
//   dv[j] = Σᵢ pᵢⱼ dout[i],  dk[j] = scale · Σᵢ dsᵢⱼ q[i].
// Sums run over one of SPLITS chunks of CHUNK queries; with several, the stores are partial sums that
// attention-backward-reduce adds up. Without atomics, and in the same order every time.
//
// Header: lanes-4.wgsl or lanes-1.wgsl; HEADS, HEAD_LANES, LQ, LK, SCALE; …_OFFSET, …_GROUP, …_ROW (in lanes) of
// Q, K, V, D_OUT, DK, DV; LOG_SUM_EXP_OFFSET; SPLITS, CHUNK, SPLIT_STRIDE (lanes from one chunk's stores to the
// next one's); gradients-split.wgsl or gradients-joined.wgsl.
// Layout: as in attention.wgsl; delta [G, H, LQ] contiguous from 0. One invocation is a key row.

@group(0) @binding(2) var<storage, read> q: array<Lane>;
@group(0) @binding(3) var<storage, read> k: array<Lane>;
@group(0) @binding(4) var<storage, read> v: array<Lane>;
@group(0) @binding(5) var<storage, read> d_out: array<Lane>;
@group(0) @binding(6) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(7) var<storage, read> delta: array<f32>;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let split = group.x % SPLITS;
  let row = (group.x / SPLITS) * 8u + lane;
  let read_row = min(row, LK - 1u);
  let head = group.y * HEAD_LANES;
  let statistics = (group.z * HEADS + group.y) * LQ;
  let k_row = K_OFFSET + group.z * K_GROUP + read_row * K_ROW + head;
  let v_row = V_OFFSET + group.z * V_GROUP + read_row * V_ROW + head;
  var key = array<Lane, HEAD_LANES>();
  var value = array<Lane, HEAD_LANES>();
  var key_sum = array<Lane, HEAD_LANES>();
  var value_sum = array<Lane, HEAD_LANES>();
  for (var c = 0u; c < HEAD_LANES; c++) {
    key[c] = k[k_row + c] * SCALE;
    value[c] = v[v_row + c];
  }
  let q_head = Q_OFFSET + group.z * Q_GROUP + head;
  let d_out_head = D_OUT_OFFSET + group.z * D_OUT_GROUP + head;
  let end = min((split + 1u) * CHUNK, LQ);
  for (var i = split * CHUNK; i < end; i += 4u) {
    // Rows beyond the last query read that query again and count nothing.
    let rows = min(vec4u(i, i + 1u, i + 2u, i + 3u), vec4u(end - 1u));
    let q_rows = q_head + rows * Q_ROW;
    let d_out_rows = d_out_head + rows * D_OUT_ROW;
    var scores = vec4f();
    var dp = vec4f();
    for (var c = 0u; c < HEAD_LANES; c++) {
      let x = key[c];
      scores += vec4f(
        lane_dot(x, q[q_rows.x + c]),
        lane_dot(x, q[q_rows.y + c]),
        lane_dot(x, q[q_rows.z + c]),
        lane_dot(x, q[q_rows.w + c]),
      );
      let y = value[c];
      dp += vec4f(
        lane_dot(y, d_out[d_out_rows.x + c]),
        lane_dot(y, d_out[d_out_rows.y + c]),
        lane_dot(y, d_out[d_out_rows.z + c]),
        lane_dot(y, d_out[d_out_rows.w + c]),
      );
    }
    let at = statistics + rows;
    let l = LOG_SUM_EXP_OFFSET + at;
    let log_sums = vec4f(log_sum_exp[l.x], log_sum_exp[l.y], log_sum_exp[l.z], log_sum_exp[l.w]);
    let means = vec4f(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
    let valid = vec4u(i, i + 1u, i + 2u, i + 3u) < vec4u(end);
    let p = select(vec4f(), exp(scores - log_sums), valid);
    let ds = p * (dp - means);
    for (var c = 0u; c < HEAD_LANES; c++) {
      value_sum[c] += (p.x * d_out[d_out_rows.x + c] + p.y * d_out[d_out_rows.y + c]) +
          (p.z * d_out[d_out_rows.z + c] + p.w * d_out[d_out_rows.w + c]);
      key_sum[c] += (ds.x * q[q_rows.x + c] + ds.y * q[q_rows.y + c]) +
          (ds.z * q[q_rows.z + c] + ds.w * q[q_rows.w + c]);
    }
  }
  if (row < LK) {
    let dk_row = DK_OFFSET + split * SPLIT_STRIDE + group.z * DK_GROUP + row * DK_ROW + head;
    let dv_row = DV_OFFSET + split * SPLIT_STRIDE + group.z * DV_GROUP + row * DV_ROW + head;
    for (var c = 0u; c < HEAD_LANES; c++) {
      store_dk(dk_row + c, key_sum[c] * SCALE);
      store_dv(dv_row + c, value_sum[c]);
    }
  }
}
