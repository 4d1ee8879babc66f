// Attention: out[i] = Σⱼ pᵢⱼ v[j], pᵢⱼ = exp(sᵢⱼ − mᵢ) / Σⱼ exp(sᵢⱼ − mᵢ), sᵢⱼ = scale · q[i]·k[j].
//
// One pass over the keys with a running maximum m and a running sum l (Milakov & Gimelshein, 2018; Dao et al.,
// 2022): when a block of keys raises m, what was summed so far is multiplied by exp(m_old − m_new).
//
// Header: math/exponential.wgsl; lanes-4.wgsl or lanes-1.wgsl;
// HEADS, HEAD_LANES (head dimension in lanes), LQ, LK, SCALE;
// Q_OFFSET, Q_GROUP, Q_ROW and the same for K, V, OUT (in lanes); LOG_SUM_EXP_OFFSET; TILES, GRID_X.
// Layout: q, out [G, LQ, C] and k, v [G, LK, C] with any group and row stride; log_sum_exp [G, H, LQ] contiguous.
//
// Made for a processor, where attention-subgroup-broadcast.wgsl does the same in half the time or less, but for want of
// subgroups, or with few keys: one invocation has 4 query rows and takes 8 keys at a time. llvmpipe turns every load
// whose address depends on a loop into one load a lane, the same for all lanes or not, so that what counts is
// the number of products per load. GFLOP/s a core on 8×8×101×64: 2 with one query row and 4 or 16 keys, 7 to 9
// with 4 rows and 8 keys (10 on 1×6×800×64); 2 for attention-tiled.wgsl.
// Loops must stay loops: the compiler unrolls what it can count (a bound of min(6, arrayLength) included). The
// query gradient for a head of 24 then took 48 s to compile instead of 0.7; a forward unrolled over the channels
// of a head of 32 took 5 s and ran at 4 GFLOP/s in all. Query-gradient sums kept in dq instead of private
// arrays: the same speed. Timed by processor time on a shared 2-core machine, so good to some 30 %.

@group(0) @binding(0) var<storage, read> q: array<Lane>;
@group(0) @binding(1) var<storage, read> k: array<Lane>;
@group(0) @binding(2) var<storage, read> v: array<Lane>;
@group(0) @binding(3) var<storage, read_write> out: array<Lane>;
@group(0) @binding(4) var<storage, read_write> log_sum_exp: array<f32>;

const LOWEST = -3.4e38;
const BLOCKS = (LQ + 3u) / 4u;
const STEPS = vec4u(0u, 1u, 2u, 3u);

fn largest(s: vec4f) -> f32 {
  return max(max(s.x, s.y), max(s.z, s.w));
}

fn k_quad(at: vec4u, c: u32) -> Quad {
  return quad(k[at.x + c], k[at.y + c], k[at.z + c], k[at.w + c]);
}

fn v_quad(at: vec4u, c: u32) -> Quad {
  return quad(v[at.x + c], v[at.y + c], v[at.z + c], v[at.w + c]);
}
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
  let k_head = K_OFFSET + g * K_GROUP + h * HEAD_LANES;
  let v_head = V_OFFSET + g * V_GROUP + h * HEAD_LANES;
  var sum0 = array<Lane, HEAD_LANES>();
  var sum1 = array<Lane, HEAD_LANES>();
  var sum2 = array<Lane, HEAD_LANES>();
  var sum3 = array<Lane, HEAD_LANES>();
  var m = vec4f(LOWEST);
  var l = vec4f();
  for (var j = 0u; j < rolled(LK); j += 8u) {
    // Keys beyond the last read that key again and count nothing.
    let near = min(vec4u(j) + STEPS, vec4u(LK - 1u));
    let far = min(vec4u(j + 4u) + STEPS, vec4u(LK - 1u));
    let k_near = k_head + near * K_ROW;
    let k_far = k_head + far * K_ROW;
    var a0 = vec4f();
    var a1 = vec4f();
    var a2 = vec4f();
    var a3 = vec4f();
    var b0 = vec4f();
    var b1 = vec4f();
    var b2 = vec4f();
    var b3 = vec4f();
    for (var c = 0u; c < lanes; c++) {
      let x0 = q[q_rows.x + c];
      let x1 = q[q_rows.y + c];
      let x2 = q[q_rows.z + c];
      let x3 = q[q_rows.w + c];
      let ka = k_quad(k_near, c);
      a0 += quad_dots(x0, ka);
      a1 += quad_dots(x1, ka);
      a2 += quad_dots(x2, ka);
      a3 += quad_dots(x3, ka);
      let kb = k_quad(k_far, c);
      b0 += quad_dots(x0, kb);
      b1 += quad_dots(x1, kb);
      b2 += quad_dots(x2, kb);
      b3 += quad_dots(x3, kb);
    }
    let a_valid = vec4u(j) + STEPS < vec4u(LK);
    let b_valid = vec4u(j + 4u) + STEPS < vec4u(LK);
    a0 = select(vec4f(LOWEST), a0 * SCALE, a_valid);
    a1 = select(vec4f(LOWEST), a1 * SCALE, a_valid);
    a2 = select(vec4f(LOWEST), a2 * SCALE, a_valid);
    a3 = select(vec4f(LOWEST), a3 * SCALE, a_valid);
    b0 = select(vec4f(LOWEST), b0 * SCALE, b_valid);
    b1 = select(vec4f(LOWEST), b1 * SCALE, b_valid);
    b2 = select(vec4f(LOWEST), b2 * SCALE, b_valid);
    b3 = select(vec4f(LOWEST), b3 * SCALE, b_valid);
    let m_new = max(m, vec4f(largest(max(a0, b0)), largest(max(a1, b1)), largest(max(a2, b2)), largest(max(a3, b3))));
    let keep = exponential4(m - m_new);
    m = m_new;
    a0 = exponential4(a0 - m.x);
    a1 = exponential4(a1 - m.y);
    a2 = exponential4(a2 - m.z);
    a3 = exponential4(a3 - m.w);
    b0 = exponential4(b0 - m.x);
    b1 = exponential4(b1 - m.y);
    b2 = exponential4(b2 - m.z);
    b3 = exponential4(b3 - m.w);
    let ones = vec4f(1.0);
    l = l * keep + vec4f(dot(a0 + b0, ones), dot(a1 + b1, ones), dot(a2 + b2, ones), dot(a3 + b3, ones));
    let v_near = v_head + near * V_ROW;
    let v_far = v_head + far * V_ROW;
    for (var c = 0u; c < lanes; c++) {
      let va = v_quad(v_near, c);
      let vb = v_quad(v_far, c);
      sum0[c] = sum0[c] * keep.x + (quad_sum(va, a0) + quad_sum(vb, b0));
      sum1[c] = sum1[c] * keep.y + (quad_sum(va, a1) + quad_sum(vb, b1));
      sum2[c] = sum2[c] * keep.z + (quad_sum(va, a2) + quad_sum(vb, b2));
      sum3[c] = sum3[c] * keep.w + (quad_sum(va, a3) + quad_sum(vb, b3));
    }
  }
  // A row beyond the last has computed the same as the last: storing twice does no harm.
  let out_rows = OUT_OFFSET + g * OUT_GROUP + h * HEAD_LANES + rows * OUT_ROW;
  let factor = 1.0 / l;
  for (var c = 0u; c < lanes; c++) {
    out[out_rows.x + c] = sum0[c] * factor.x;
    out[out_rows.y + c] = sum1[c] * factor.y;
    out[out_rows.z + c] = sum2[c] * factor.z;
    out[out_rows.w + c] = sum3[c] * factor.w;
  }
  let statistics = LOG_SUM_EXP_OFFSET + (g * HEADS + h) * LQ + rows;
  let log_sums = m + log(l);
  log_sum_exp[statistics.x] = log_sums.x;
  log_sum_exp[statistics.y] = log_sums.y;
  log_sum_exp[statistics.z] = log_sums.z;
  log_sum_exp[statistics.w] = log_sums.w;
}
