// Attention, gradient of the queries. The probabilities are made again from the log-sum-exp L of the forward:
//   pᵢⱼ = exp(scale · q[i]·k[j] − Lᵢ),  dpᵢⱼ = dout[i]·v[j],  Dᵢ = dout[i]·out[i] = Σⱼ pᵢⱼ dpᵢⱼ,
//   dsᵢⱼ = pᵢⱼ (dpᵢⱼ − Dᵢ),  dq[i] = scale · Σⱼ dsᵢⱼ k[j].    (Dao et al., 2022)
// D is written out for attention-backward-key.
//
// For GPUs; the division of work is that of attention-tiled-parts.wgsl with blocks of queries and steps of eight keys.
//
// Header: as attention-tiled-parts.wgsl, which precedes it; math/exponential.wgsl.
// Data and layout: attention-backward-query-arrays.wgsl.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let tile = group.x + group.y * GRID_X;
  if (tile >= TILES) {
    return;
  }
  let part = index % PARTS;
  let slot = index / PARTS;
  let row0 = (tile % BLOCKS) * 2u * SLOTS + slot;
  let row1 = row0 + SLOTS;
  let h = (tile / BLOCKS) % HEADS;
  let g = tile / (BLOCKS * HEADS);
  let count = rolled(PART_VEC4S);
  let q_rows = Rows(Q_OFFSET + g * Q_GROUP + h * HEAD, Q_ROW, LQ - 1u);
  let k_rows = Rows(K_OFFSET + g * K_GROUP + h * HEAD, K_ROW, LK - 1u);
  let v_rows = Rows(V_OFFSET + g * V_GROUP + h * HEAD, V_ROW, LK - 1u);
  let out_rows = Rows(OUT_OFFSET + g * OUT_GROUP + h * HEAD, OUT_ROW, LQ - 1u);
  let d_out_rows = Rows(D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD, D_OUT_ROW, LQ - 1u);
  let statistics = (g * HEADS + h) * LQ;
  let first = slot * PARTS;
  var query0 = Part();
  var query1 = Part();
  var gradient0 = Part();
  var gradient1 = Part();
  var sum0 = Part();
  var sum1 = Part();
  var d = vec4f();
  for (var n = 0u; n < count; n++) {
    let c = n * PARTS + part;
    query0[n] = row_vec4(&q, q_rows, row0, c) * SCALE;
    query1[n] = row_vec4(&q, q_rows, row1, c) * SCALE;
    gradient0[n] = row_vec4(&d_out, d_out_rows, row0, c);
    gradient1[n] = row_vec4(&d_out, d_out_rows, row1, c);
    d.x += dot(gradient0[n], row_vec4(&out, out_rows, row0, c));
    d.y += dot(gradient1[n], row_vec4(&out, out_rows, row1, c));
  }
  parts[index] = d;
  workgroupBarrier();
  d = part_sum(first);
  workgroupBarrier();
  let l0 = log_sum_exp[LOG_SUM_EXP_OFFSET + statistics + min(row0, LQ - 1u)];
  let l1 = log_sum_exp[LOG_SUM_EXP_OFFSET + statistics + min(row1, LQ - 1u)];
  for (var j = 0u; j < LK; j += 8u) {
    // Keys beyond the last count nothing.
    copy_tiles(&k, k_rows, &v, v_rows, j, index);
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
      a0 += query0[n] * near;
      a1 += query1[n] * near;
      b0 += query0[n] * far;
      b1 += query1[n] * far;
      let near_value = b_rows_at(at);
      let far_value = b_rows_at(at + 4u * VEC4S);
      da0 += gradient0[n] * near_value;
      da1 += gradient1[n] * near_value;
      db0 += gradient0[n] * far_value;
      db1 += gradient1[n] * far_value;
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
    let near_valid = vec4u(j) + STEPS < vec4u(LK);
    let far_valid = vec4u(j + 4u) + STEPS < vec4u(LK);
    let ds_a0 = select(vec4f(), exponential4(part_sum(first) - l0) * (part_sum(256u + first) - d.x), near_valid);
    let ds_b0 = select(vec4f(), exponential4(part_sum(64u + first) - l0) * (part_sum(320u + first) - d.x), far_valid);
    let ds_a1 = select(vec4f(), exponential4(part_sum(128u + first) - l1) * (part_sum(384u + first) - d.y), near_valid);
    let ds_b1 = select(vec4f(), exponential4(part_sum(192u + first) - l1) * (part_sum(448u + first) - d.y), far_valid);
    for (var n = 0u; n < count; n++) {
      let at = n * PARTS + part;
      let near = a_rows_at(at);
      let far = a_rows_at(at + 4u * VEC4S);
      sum0[n] += near * ds_a0 + far * ds_b0;
      sum1[n] += near * ds_a1 + far * ds_b1;
    }
    workgroupBarrier();
  }
  let dq_head = DQ_OFFSET + g * DQ_GROUP + h * HEAD;
  for (var n = 0u; n < count; n++) {
    let c = n * PARTS + part;
    if (row0 < LQ) {
      store_vec4(&dq, dq_head + row0 * DQ_ROW, c, sum0[n] * SCALE);
    }
    if (row1 < LQ) {
      store_vec4(&dq, dq_head + row1 * DQ_ROW, c, sum1[n] * SCALE);
    }
  }
  if (part == 0u && row0 < LQ) {
    delta[statistics + row0] = d.x;
  }
  if (part == 0u && row1 < LQ) {
    delta[statistics + row1] = d.y;
  }
}
