// Attention for GPUs: the mathematics and layout of attention.wgsl.
//
// A workgroup has 2 · 64 / PARTS query rows. PARTS invocations share two rows and own every PARTS-th lane of
// the channels, so that q and the sums of a head of 64 fit 64 registers an invocation whatever the head
// dimension, and small problems still fill the device. Eight keys and values at a time lie in workgroup
// memory; a score is the sum of PARTS parts, exchanged through workgroup memory, each invocation adding them up
// in the same order (no subgroup operations, no size of a subgroup assumed).
//
// Header: that of attention.wgsl and PARTS, PART_LANES (lanes of an invocation), KEEP_LOOPS (leave loops over
// lanes rolled: software drivers take minutes to compile them unrolled).

@group(0) @binding(0) var<storage, read> q: array<Lane>;
@group(0) @binding(1) var<storage, read> k: array<Lane>;
@group(0) @binding(2) var<storage, read> v: array<Lane>;
@group(0) @binding(3) var<storage, read_write> out: array<Lane>;
@group(0) @binding(4) var<storage, read_write> log_sum_exp: array<f32>;

const LOWEST = -3.4e38;
const SLOTS = 64u / PARTS;
const BLOCKS = (LQ + 2u * SLOTS - 1u) / (2u * SLOTS);
// Lanes of a tile row; those beyond HEAD_LANES are zero.
const WIDTH = PARTS * PART_LANES;
const STEPS = vec4u(0u, 1u, 2u, 3u);

var<workgroup> k_tile: array<Lane, 8u * WIDTH>;
var<workgroup> v_tile: array<Lane, 8u * WIDTH>;
// [row of the invocation][first or last four keys][invocation]
var<workgroup> parts: array<vec4f, 256>;

fn largest(s: vec4f) -> f32 {
  return max(max(s.x, s.y), max(s.z, s.w));
}

fn total(s: vec4f) -> f32 {
  return (s.x + s.y) + (s.z + s.w);
}

// `count`, but when loops must stay loops, in a form whose value compilers cannot tell.
fn rolled(count: u32) -> u32 {
  return select(count, select(0u, count, arrayLength(&q) > 0u), KEEP_LOOPS);
}

fn part_sum(first: u32) -> vec4f {
  var sum = vec4f();
  for (var part = 0u; part < rolled(PARTS); part++) {
    sum += parts[first + part];
  }
  return sum;
}

fn k_quad(at: u32) -> Quad {
  return quad(k_tile[at], k_tile[at + WIDTH], k_tile[at + 2u * WIDTH], k_tile[at + 3u * WIDTH]);
}

fn v_quad(at: u32) -> Quad {
  return quad(v_tile[at], v_tile[at + WIDTH], v_tile[at + 2u * WIDTH], v_tile[at + 3u * WIDTH]);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tile = group.x + group.y * GRID_X;
  if (tile >= TILES) {
    return;
  }
  let part = lane % PARTS;
  let slot = lane / PARTS;
  let row0 = (tile % BLOCKS) * 2u * SLOTS + slot;
  let row1 = row0 + SLOTS;
  let h = (tile / BLOCKS) % HEADS;
  let g = tile / (BLOCKS * HEADS);
  let lanes = rolled(PART_LANES);
  let q_head = Q_OFFSET + g * Q_GROUP + h * HEAD_LANES;
  let q_row0 = q_head + min(row0, LQ - 1u) * Q_ROW;
  let q_row1 = q_head + min(row1, LQ - 1u) * Q_ROW;
  let k_head = K_OFFSET + g * K_GROUP + h * HEAD_LANES;
  let v_head = V_OFFSET + g * V_GROUP + h * HEAD_LANES;
  var query0 = array<Lane, PART_LANES>();
  var query1 = array<Lane, PART_LANES>();
  var sum0 = array<Lane, PART_LANES>();
  var sum1 = array<Lane, PART_LANES>();
  for (var n = 0u; n < lanes; n++) {
    let c = n * PARTS + part;
    if (c < HEAD_LANES) {
      query0[n] = q[q_row0 + c] * SCALE;
      query1[n] = q[q_row1 + c] * SCALE;
    }
  }
  var m0 = LOWEST;
  var m1 = LOWEST;
  var l0 = 0.0;
  var l1 = 0.0;
  for (var j = 0u; j < rolled(LK); j += 8u) {
    for (var at = lane; at < rolled(8u * WIDTH); at += 64u) {
      // Keys beyond the last are that key again and count nothing.
      let key = min(j + at / WIDTH, LK - 1u);
      let c = at % WIDTH;
      var k_lane = Lane();
      var v_lane = Lane();
      if (c < HEAD_LANES) {
        k_lane = k[k_head + key * K_ROW + c];
        v_lane = v[v_head + key * V_ROW + c];
      }
      k_tile[at] = k_lane;
      v_tile[at] = v_lane;
    }
    workgroupBarrier();
    var a0 = vec4f();
    var a1 = vec4f();
    var b0 = vec4f();
    var b1 = vec4f();
    for (var n = 0u; n < lanes; n++) {
      let at = n * PARTS + part;
      let near = k_quad(at);
      let far = k_quad(at + 4u * WIDTH);
      a0 += quad_dots(query0[n], near);
      a1 += quad_dots(query1[n], near);
      b0 += quad_dots(query0[n], far);
      b1 += quad_dots(query1[n], far);
    }
    parts[lane] = a0;
    parts[64u + lane] = b0;
    parts[128u + lane] = a1;
    parts[192u + lane] = b1;
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
    for (var n = 0u; n < lanes; n++) {
      let at = n * PARTS + part;
      let near = v_quad(at);
      let far = v_quad(at + 4u * WIDTH);
      sum0[n] = sum0[n] * keep0 + (quad_sum(near, a0) + quad_sum(far, b0));
      sum1[n] = sum1[n] * keep1 + (quad_sum(near, a1) + quad_sum(far, b1));
    }
    workgroupBarrier();
  }
  let out_head = OUT_OFFSET + g * OUT_GROUP + h * HEAD_LANES;
  let statistics = LOG_SUM_EXP_OFFSET + (g * HEADS + h) * LQ;
  for (var n = 0u; n < lanes; n++) {
    let c = n * PARTS + part;
    if (c < HEAD_LANES && row0 < LQ) {
      out[out_head + row0 * OUT_ROW + c] = sum0[n] * (1.0 / l0);
    }
    if (c < HEAD_LANES && row1 < LQ) {
      out[out_head + row1 * OUT_ROW + c] = sum1[n] * (1.0 / l1);
    }
  }
  if (part == 0u && row0 < LQ) {
    log_sum_exp[statistics + row0] = m0 + log(l0);
  }
  if (part == 0u && row1 < LQ) {
    log_sum_exp[statistics + row1] = m1 + log(l1);
  }
}
