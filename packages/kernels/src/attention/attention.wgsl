// Attention: out[i] = Σⱼ pᵢⱼ v[j], pᵢⱼ = exp(sᵢⱼ − mᵢ) / Σⱼ exp(sᵢⱼ − mᵢ), sᵢⱼ = scale · q[i]·k[j].
//
// One pass over the keys with a running maximum m and running sum l (Milakov & Gimelshein, 2018; Dao et al.,
// 2022): when a block of keys raises m, what was summed so far is multiplied by exp(m_old − m_new).
//
// Header: lanes-4.wgsl or lanes-1.wgsl; HEADS, HEAD_LANES (head dimension in lanes), LQ, LK, SCALE;
// Q_OFFSET, Q_GROUP, Q_ROW and the same for K, V, OUT (in lanes); LOG_SUM_EXP_OFFSET.
// Layout: q, out [G, LQ, C] and k, v [G, LK, C] with any group and row stride; log_sum_exp [G, H, LQ] contiguous.
//
// Made for a processor: one invocation is a query row, with q and the sum in registers; the keys and values
// are read straight from storage, at addresses that are the same for the whole workgroup.

@group(0) @binding(0) var<storage, read> q: array<Lane>;
@group(0) @binding(1) var<storage, read> k: array<Lane>;
@group(0) @binding(2) var<storage, read> v: array<Lane>;
@group(0) @binding(3) var<storage, read_write> out: array<Lane>;
@group(0) @binding(4) var<storage, read_write> log_sum_exp: array<f32>;

const LOWEST = -3.4e38;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x * 8u + lane;
  let head = group.y * HEAD_LANES;
  let q_row = Q_OFFSET + group.z * Q_GROUP + min(row, LQ - 1u) * Q_ROW + head;
  var query = array<Lane, HEAD_LANES>();
  var sum = array<Lane, HEAD_LANES>();
  for (var c = 0u; c < HEAD_LANES; c++) {
    query[c] = q[q_row + c] * SCALE;
  }
  let k_head = K_OFFSET + group.z * K_GROUP + head;
  let v_head = V_OFFSET + group.z * V_GROUP + head;
  var m = LOWEST;
  var l = 0.0;
  for (var j = 0u; j < LK; j += 4u) {
    // Rows beyond the last key read that key again and count nothing.
    let rows = min(vec4u(j, j + 1u, j + 2u, j + 3u), vec4u(LK - 1u));
    let k_rows = k_head + rows * K_ROW;
    var scores = vec4f();
    for (var c = 0u; c < HEAD_LANES; c++) {
      let x = query[c];
      scores += vec4f(
        lane_dot(x, k[k_rows.x + c]),
        lane_dot(x, k[k_rows.y + c]),
        lane_dot(x, k[k_rows.z + c]),
        lane_dot(x, k[k_rows.w + c]),
      );
    }
    scores = select(vec4f(LOWEST), scores, vec4u(j, j + 1u, j + 2u, j + 3u) < vec4u(LK));
    let m_new = max(m, max(max(scores.x, scores.y), max(scores.z, scores.w)));
    let keep = exp(m - m_new);
    let p = exp(scores - m_new);
    m = m_new;
    l = l * keep + (p.x + p.y) + (p.z + p.w);
    let v_rows = v_head + rows * V_ROW;
    for (var c = 0u; c < HEAD_LANES; c++) {
      sum[c] = sum[c] * keep + ((p.x * v[v_rows.x + c] + p.y * v[v_rows.y + c]) +
          (p.z * v[v_rows.z + c] + p.w * v[v_rows.w + c]));
    }
  }
  if (row < LQ) {
    let out_row = OUT_OFFSET + group.z * OUT_GROUP + row * OUT_ROW + head;
    for (var c = 0u; c < HEAD_LANES; c++) {
      out[out_row + c] = sum[c] * (1.0 / l);
    }
    log_sum_exp[LOG_SUM_EXP_OFFSET + (group.z * HEADS + group.y) * LQ + row] = m + log(l);
  }
}
