// Attention, gradients of the keys and values, with p, dp, D and ds as in attention-backward-query-tiled.wgsl:
//   dv[j] = Σᵢ pᵢⱼ dout[i],  dk[j] = scale · Σᵢ dsᵢⱼ q[i].
// Sums run over one of SPLITS chunks of CHUNK queries; with several, the stores are partial sums that
// attention-backward-reduce adds up. Without atomics, and in the same order every time.
//
// For GPUs; the division of work is that of attention-tiled-parts.wgsl with blocks of keys and steps of eight queries.
//
// Header: as attention-tiled-parts.wgsl, which precedes it; math/exponential.wgsl, attention-gradient-stores.wgsl.
// Data and layout: attention-backward-key-arrays.wgsl.

fn log_sums(at: vec4u) -> vec4f {
  let l = LOG_SUM_EXP_OFFSET + at;
  return vec4f(log_sum_exp[l.x], log_sum_exp[l.y], log_sum_exp[l.z], log_sum_exp[l.w]);
}

fn deltas(at: vec4u) -> vec4f {
  return vec4f(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let tile = group.x + group.y * GRID_X;
  if (tile >= TILES) {
    return;
  }
  let part = index % PARTS;
  let slot = index / PARTS;
  let first = slot * PARTS;
  let key0 = (tile % BLOCKS) * 2u * SLOTS + slot;
  let key1 = key0 + SLOTS;
  let split = (tile / BLOCKS) % SPLITS;
  let h = (tile / (BLOCKS * SPLITS)) % HEADS;
  let g = tile / (BLOCKS * SPLITS * HEADS);
  let end = min((split + 1u) * CHUNK, LQ);
  let count = rolled(PART_VEC4S);
  let q_rows = Rows(Q_OFFSET + g * Q_GROUP + h * HEAD, Q_ROW, end - 1u);
  let d_out_rows = Rows(D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD, D_OUT_ROW, end - 1u);
  let k_rows = Rows(K_OFFSET + g * K_GROUP + h * HEAD, K_ROW, LK - 1u);
  let v_rows = Rows(V_OFFSET + g * V_GROUP + h * HEAD, V_ROW, LK - 1u);
  let statistics = (g * HEADS + h) * LQ;
  var k_own0 = Part();
  var k_own1 = Part();
  var v_own0 = Part();
  var v_own1 = Part();
  var k_sum0 = Part();
  var k_sum1 = Part();
  var v_sum0 = Part();
  var v_sum1 = Part();
  for (var n = 0u; n < count; n++) {
    let c = n * PARTS + part;
    k_own0[n] = row_vec4(&k, k_rows, key0, c) * SCALE;
    k_own1[n] = row_vec4(&k, k_rows, key1, c) * SCALE;
    v_own0[n] = row_vec4(&v, v_rows, key0, c);
    v_own1[n] = row_vec4(&v, v_rows, key1, c);
  }
  for (var i = split * CHUNK; i < end; i += 8u) {
    // Queries beyond the last of the chunk count nothing.
    copy_tiles(&q, q_rows, &d_out, d_out_rows, i, index);
    workgroupBarrier();
    var a0 = vec4f();
    var a1 = vec4f();
    var b0 = vec4f();
    var b1 = vec4f();
    var da0 = vec4f();
    var da1 = vec4f();
    var db0 = vec4f();
    var db1 = vec4f();
    for (var n = 0u; n < count; n++) {
      let at = n * PARTS + part;
      let near = a_rows_at(at);
      let far = a_rows_at(at + 4u * VEC4S);
      a0 += k_own0[n] * near;
      a1 += k_own1[n] * near;
      b0 += k_own0[n] * far;
      b1 += k_own1[n] * far;
      let near_gradient = b_rows_at(at);
      let far_gradient = b_rows_at(at + 4u * VEC4S);
      da0 += v_own0[n] * near_gradient;
      da1 += v_own1[n] * near_gradient;
      db0 += v_own0[n] * far_gradient;
      db1 += v_own1[n] * far_gradient;
    }
    parts[index] = a0;
    parts[64u + index] = b0;
    parts[128u + index] = a1;
    parts[192u + index] = b1;
    parts[256u + index] = da0;
    parts[320u + index] = db0;
    parts[384u + index] = da1;
    parts[448u + index] = db1;
    workgroupBarrier();
    let near_valid = vec4u(i) + STEPS < vec4u(end);
    let far_valid = vec4u(i + 4u) + STEPS < vec4u(end);
    let near_rows = statistics + min(vec4u(i) + STEPS, vec4u(end - 1u));
    let far_rows = statistics + min(vec4u(i + 4u) + STEPS, vec4u(end - 1u));
    let near_l = log_sums(near_rows);
    let far_l = log_sums(far_rows);
    let near_d = deltas(near_rows);
    let far_d = deltas(far_rows);
    a0 = select(vec4f(), exponential4(part_sum(first) - near_l), near_valid);
    b0 = select(vec4f(), exponential4(part_sum(64u + first) - far_l), far_valid);
    a1 = select(vec4f(), exponential4(part_sum(128u + first) - near_l), near_valid);
    b1 = select(vec4f(), exponential4(part_sum(192u + first) - far_l), far_valid);
    let ds_a0 = a0 * (part_sum(256u + first) - near_d);
    let ds_b0 = b0 * (part_sum(320u + first) - far_d);
    let ds_a1 = a1 * (part_sum(384u + first) - near_d);
    let ds_b1 = b1 * (part_sum(448u + first) - far_d);
    for (var n = 0u; n < count; n++) {
      let at = n * PARTS + part;
      let near = a_rows_at(at);
      let far = a_rows_at(at + 4u * VEC4S);
      k_sum0[n] += near * ds_a0 + far * ds_b0;
      k_sum1[n] += near * ds_a1 + far * ds_b1;
      let near_gradient = b_rows_at(at);
      let far_gradient = b_rows_at(at + 4u * VEC4S);
      v_sum0[n] += near_gradient * a0 + far_gradient * b0;
      v_sum1[n] += near_gradient * a1 + far_gradient * b1;
    }
    workgroupBarrier();
  }
  let dk_head = DK_OFFSET + split * SPLIT_STRIDE + g * DK_GROUP + h * HEAD;
  let dv_head = DV_OFFSET + split * SPLIT_STRIDE + g * DV_GROUP + h * HEAD;
  for (var n = 0u; n < count; n++) {
    let c = n * PARTS + part;
    if (key0 < LK) {
      store_dk(dk_head + key0 * DK_ROW, c, k_sum0[n] * SCALE);
      store_dv(dv_head + key0 * DV_ROW, c, v_sum0[n]);
    }
    if (key1 < LK) {
      store_dk(dk_head + key1 * DK_ROW, c, k_sum1[n] * SCALE);
      store_dv(dv_head + key1 * DV_ROW, c, v_sum1[n]);
    }
  }
}
