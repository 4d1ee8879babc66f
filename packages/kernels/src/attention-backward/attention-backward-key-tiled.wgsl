// Attention, gradients of the keys and values, for GPUs: the mathematics and layout of
// attention-backward-key.wgsl, the division of work of attention-tiled.wgsl with the roles of keys and queries
// exchanged: invocations share two keys, and eight query rows at a time lie in workgroup memory.
//
// Header: that of attention-backward-key.wgsl and PARTS, PART_LANES, KEEP_LOOPS as in attention-tiled.wgsl.

@group(0) @binding(2) var<storage, read> q: array<Lane>;
@group(0) @binding(3) var<storage, read> k: array<Lane>;
@group(0) @binding(4) var<storage, read> v: array<Lane>;
@group(0) @binding(5) var<storage, read> d_out: array<Lane>;
@group(0) @binding(6) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(7) var<storage, read> delta: array<f32>;

const SLOTS = 64u / PARTS;
const BLOCKS = (LK + 2u * SLOTS - 1u) / (2u * SLOTS);
// Lanes of a tile row; those beyond HEAD_LANES are zero.
const WIDTH = PARTS * PART_LANES;
const STEPS = vec4u(0u, 1u, 2u, 3u);

var<workgroup> q_tile: array<Lane, 8u * WIDTH>;
var<workgroup> d_out_tile: array<Lane, 8u * WIDTH>;
// [scores, then dp][key of the invocation][first or last four queries][invocation]
var<workgroup> parts: array<vec4f, 512>;

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

fn q_quad(at: u32) -> Quad {
  return quad(q_tile[at], q_tile[at + WIDTH], q_tile[at + 2u * WIDTH], q_tile[at + 3u * WIDTH]);
}

fn d_out_quad(at: u32) -> Quad {
  return quad(d_out_tile[at], d_out_tile[at + WIDTH], d_out_tile[at + 2u * WIDTH], d_out_tile[at + 3u * WIDTH]);
}

fn log_sums(at: vec4u) -> vec4f {
  let l = LOG_SUM_EXP_OFFSET + at;
  return vec4f(log_sum_exp[l.x], log_sum_exp[l.y], log_sum_exp[l.z], log_sum_exp[l.w]);
}

fn deltas(at: vec4u) -> vec4f {
  return vec4f(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tile = group.x + group.y * GRID_X;
  if (tile >= TILES) {
    return;
  }
  let part = lane % PARTS;
  let slot = lane / PARTS;
  let first = slot * PARTS;
  let key0 = (tile % BLOCKS) * 2u * SLOTS + slot;
  let key1 = key0 + SLOTS;
  let split = (tile / BLOCKS) % SPLITS;
  let h = (tile / (BLOCKS * SPLITS)) % HEADS;
  let g = tile / (BLOCKS * SPLITS * HEADS);
  let lanes = rolled(PART_LANES);
  let q_head = Q_OFFSET + g * Q_GROUP + h * HEAD_LANES;
  let d_out_head = D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD_LANES;
  let statistics = (g * HEADS + h) * LQ;
  let k_head = K_OFFSET + g * K_GROUP + h * HEAD_LANES;
  let k_row0 = k_head + min(key0, LK - 1u) * K_ROW;
  let k_row1 = k_head + min(key1, LK - 1u) * K_ROW;
  let v_head = V_OFFSET + g * V_GROUP + h * HEAD_LANES;
  let v_row0 = v_head + min(key0, LK - 1u) * V_ROW;
  let v_row1 = v_head + min(key1, LK - 1u) * V_ROW;
  var k_own0 = array<Lane, PART_LANES>();
  var k_own1 = array<Lane, PART_LANES>();
  var v_own0 = array<Lane, PART_LANES>();
  var v_own1 = array<Lane, PART_LANES>();
  var k_sum0 = array<Lane, PART_LANES>();
  var k_sum1 = array<Lane, PART_LANES>();
  var v_sum0 = array<Lane, PART_LANES>();
  var v_sum1 = array<Lane, PART_LANES>();
  for (var n = 0u; n < lanes; n++) {
    let c = n * PARTS + part;
    if (c < HEAD_LANES) {
      k_own0[n] = k[k_row0 + c] * SCALE;
      k_own1[n] = k[k_row1 + c] * SCALE;
      v_own0[n] = v[v_row0 + c];
      v_own1[n] = v[v_row1 + c];
    }
  }
  let end = min((split + 1u) * CHUNK, rolled(LQ));
  for (var i = split * CHUNK; i < end; i += 8u) {
    for (var at = lane; at < rolled(8u * WIDTH); at += 64u) {
      // Rows beyond the last are that row again and count nothing.
      let row = min(i + at / WIDTH, end - 1u);
      let c = at % WIDTH;
      var q_lane = Lane();
      var d_out_lane = Lane();
      if (c < HEAD_LANES) {
        q_lane = q[q_head + row * Q_ROW + c];
        d_out_lane = d_out[d_out_head + row * D_OUT_ROW + c];
      }
      q_tile[at] = q_lane;
      d_out_tile[at] = d_out_lane;
    }
    workgroupBarrier();
    var a0 = vec4f();
    var a1 = vec4f();
    var b0 = vec4f();
    var b1 = vec4f();
    var da0 = vec4f();
    var da1 = vec4f();
    var db0 = vec4f();
    var db1 = vec4f();
    for (var n = 0u; n < lanes; n++) {
      let at = n * PARTS + part;
      let near = q_quad(at);
      let far = q_quad(at + 4u * WIDTH);
      a0 += quad_dots(k_own0[n], near);
      a1 += quad_dots(k_own1[n], near);
      b0 += quad_dots(k_own0[n], far);
      b1 += quad_dots(k_own1[n], far);
      let near_gradient = d_out_quad(at);
      let far_gradient = d_out_quad(at + 4u * WIDTH);
      da0 += quad_dots(v_own0[n], near_gradient);
      da1 += quad_dots(v_own1[n], near_gradient);
      db0 += quad_dots(v_own0[n], far_gradient);
      db1 += quad_dots(v_own1[n], far_gradient);
    }
    parts[lane] = a0;
    parts[64u + lane] = b0;
    parts[128u + lane] = a1;
    parts[192u + lane] = b1;
    parts[256u + lane] = da0;
    parts[320u + lane] = db0;
    parts[384u + lane] = da1;
    parts[448u + lane] = db1;
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
    for (var n = 0u; n < lanes; n++) {
      let at = n * PARTS + part;
      let near = q_quad(at);
      let far = q_quad(at + 4u * WIDTH);
      k_sum0[n] += quad_sum(near, ds_a0) + quad_sum(far, ds_b0);
      k_sum1[n] += quad_sum(near, ds_a1) + quad_sum(far, ds_b1);
      let near_gradient = d_out_quad(at);
      let far_gradient = d_out_quad(at + 4u * WIDTH);
      v_sum0[n] += quad_sum(near_gradient, a0) + quad_sum(far_gradient, b0);
      v_sum1[n] += quad_sum(near_gradient, a1) + quad_sum(far_gradient, b1);
    }
    workgroupBarrier();
  }
  let dk_head = DK_OFFSET + split * SPLIT_STRIDE + g * DK_GROUP + h * HEAD_LANES;
  let dv_head = DV_OFFSET + split * SPLIT_STRIDE + g * DV_GROUP + h * HEAD_LANES;
  for (var n = 0u; n < lanes; n++) {
    let c = n * PARTS + part;
    if (c < HEAD_LANES && key0 < LK) {
      store_dk(dk_head + key0 * DK_ROW + c, k_sum0[n] * SCALE);
      store_dv(dv_head + key0 * DV_ROW + c, v_sum0[n]);
    }
    if (c < HEAD_LANES && key1 < LK) {
      store_dk(dk_head + key1 * DK_ROW + c, k_sum1[n] * SCALE);
      store_dv(dv_head + key1 * DV_ROW + c, v_sum1[n]);
    }
  }
}
