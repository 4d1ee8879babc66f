// Attention: out[i] = Σⱼ pᵢⱼ v[j], pᵢⱼ = exp(sᵢⱼ − mᵢ) / Σⱼ exp(sᵢⱼ − mᵢ), sᵢⱼ = scale · q[i]·k[j].
//
// One pass over the keys with a running maximum m and a running sum l (Milakov & Gimelshein, 2018; Dao et al.,
// 2022): when a step of keys raises m, what was summed so far is multiplied by exp(m_old − m_new).
//
// For GPUs; the division of work is that of attention-tiled-parts.wgsl with blocks of queries and steps of eight keys.
//
// Header: as attention-tiled-parts.wgsl, which precedes it; math/exponential.wgsl.
// Data and layout: attention-arrays.wgsl.

const LOWEST = -3.4e38;

fn largest(s: vec4f) -> f32 {
  return max(max(s.x, s.y), max(s.z, s.w));
}

fn total(s: vec4f) -> f32 {
  return (s.x + s.y) + (s.z + s.w);
}

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
  var query0 = Part();
  var query1 = Part();
  var sum0 = Part();
  var sum1 = Part();
  for (var n = 0u; n < count; n++) {
    query0[n] = row_vec4(&q, q_rows, row0, n * PARTS + part) * SCALE;
    query1[n] = row_vec4(&q, q_rows, row1, n * PARTS + part) * SCALE;
  }
  var m0 = LOWEST;
  var m1 = LOWEST;
  var l0 = 0.0;
  var l1 = 0.0;
  for (var j = 0u; j < LK; j += 8u) {
    // Keys beyond the last count nothing.
    copy_tiles(&k, k_rows, &v, v_rows, j, index);
    workgroupBarrier();
    var a0 = vec4f();
    var a1 = vec4f();
    var b0 = vec4f();
    var b1 = vec4f();
    for (var n = 0u; n < count; n++) {
      let at = n * PARTS + part;
      let near = a_rows_at(at);
      let far = a_rows_at(at + 4u * VEC4S);
      a0 += query0[n] * near;
      a1 += query1[n] * near;
      b0 += query0[n] * far;
      b1 += query1[n] * far;
    }
    parts[index] = a0;
    parts[64u + index] = b0;
    parts[128u + index] = a1;
    parts[192u + index] = b1;
    workgroupBarrier();
    let first = slot * PARTS;
    let near_valid = vec4u(j) + STEPS < vec4u(LK);
    let far_valid = vec4u(j + 4u) + STEPS < vec4u(LK);
    a0 = select(vec4f(LOWEST), part_sum(first), near_valid);
    b0 = select(vec4f(LOWEST), part_sum(64u + first), far_valid);
    a1 = select(vec4f(LOWEST), part_sum(128u + first), near_valid);
    b1 = select(vec4f(LOWEST), part_sum(192u + first), far_valid);
    let m0_new = max(m0, largest(max(a0, b0)));
    let m1_new = max(m1, largest(max(a1, b1)));
    let keep0 = exponential(m0 - m0_new);
    let keep1 = exponential(m1 - m1_new);
    m0 = m0_new;
    m1 = m1_new;
    a0 = exponential4(a0 - m0);
    b0 = exponential4(b0 - m0);
    a1 = exponential4(a1 - m1);
    b1 = exponential4(b1 - m1);
    l0 = l0 * keep0 + total(a0 + b0);
    l1 = l1 * keep1 + total(a1 + b1);
    for (var n = 0u; n < count; n++) {
      let at = n * PARTS + part;
      let near = b_rows_at(at);
      let far = b_rows_at(at + 4u * VEC4S);
      sum0[n] = sum0[n] * keep0 + (near * a0 + far * b0);
      sum1[n] = sum1[n] * keep1 + (near * a1 + far * b1);
    }
    workgroupBarrier();
  }
  let out_head = OUT_OFFSET + g * OUT_GROUP + h * HEAD;
  let statistics = LOG_SUM_EXP_OFFSET + (g * HEADS + h) * LQ;
  for (var n = 0u; n < count; n++) {
    let c = n * PARTS + part;
    if (row0 < LQ) {
      store_vec4(&out, out_head + row0 * OUT_ROW, c, sum0[n] * (1.0 / l0));
    }
    if (row1 < LQ) {
      store_vec4(&out, out_head + row1 * OUT_ROW, c, sum1[n] * (1.0 / l1));
    }
  }
  if (part == 0u && row0 < LQ) {
    log_sum_exp[statistics + row0] = m0 + log(l0);
  }
  if (part == 0u && row1 < LQ) {
    log_sum_exp[statistics + row1] = m1 + log(l1);
  }
}
