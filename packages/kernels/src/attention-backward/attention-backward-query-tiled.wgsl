// Attention, gradient of the queries, for GPUs: the mathematics and layout of attention-backward-query.wgsl, the
// division of work of attention-tiled.wgsl.
//
// Header: that of attention-backward-query.wgsl and PARTS, PART_LANES, KEEP_LOOPS as in attention-tiled.wgsl.

@group(0) @binding(0) var<storage, read_write> dq: array<Lane>;
@group(0) @binding(1) var<storage, read_write> delta: array<f32>;
@group(0) @binding(2) var<storage, read> q: array<Lane>;
@group(0) @binding(3) var<storage, read> k: array<Lane>;
@group(0) @binding(4) var<storage, read> v: array<Lane>;
@group(0) @binding(5) var<storage, read> out: array<Lane>;
@group(0) @binding(6) var<storage, read> d_out: array<Lane>;
@group(0) @binding(7) var<storage, read> log_sum_exp: array<f32>;

const SLOTS = 64u / PARTS;
const BLOCKS = (LQ + 2u * SLOTS - 1u) / (2u * SLOTS);
// Lanes of a tile row; those beyond HEAD_LANES are zero.
const WIDTH = PARTS * PART_LANES;
const STEPS = vec4u(0u, 1u, 2u, 3u);

var<workgroup> k_tile: array<Lane, 8u * WIDTH>;
var<workgroup> v_tile: array<Lane, 8u * WIDTH>;
// [scores, then dp][row of the invocation][first or last four keys][invocation]
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
  let d_out_head = D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD_LANES;
  let d_out_row0 = d_out_head + min(row0, LQ - 1u) * D_OUT_ROW;
  let d_out_row1 = d_out_head + min(row1, LQ - 1u) * D_OUT_ROW;
  let out_head = OUT_OFFSET + g * OUT_GROUP + h * HEAD_LANES;
  let out_row0 = out_head + min(row0, LQ - 1u) * OUT_ROW;
  let out_row1 = out_head + min(row1, LQ - 1u) * OUT_ROW;
  let statistics = (g * HEADS + h) * LQ;
  let first = slot * PARTS;
  let k_head = K_OFFSET + g * K_GROUP + h * HEAD_LANES;
  let v_head = V_OFFSET + g * V_GROUP + h * HEAD_LANES;
  var query0 = array<Lane, PART_LANES>();
  var query1 = array<Lane, PART_LANES>();
  var gradient0 = array<Lane, PART_LANES>();
  var gradient1 = array<Lane, PART_LANES>();
  var sum0 = array<Lane, PART_LANES>();
  var sum1 = array<Lane, PART_LANES>();
  var d = vec4f();
  for (var n = 0u; n < lanes; n++) {
    let c = n * PARTS + part;
    if (c < HEAD_LANES) {
      query0[n] = q[q_row0 + c] * SCALE;
      query1[n] = q[q_row1 + c] * SCALE;
      gradient0[n] = d_out[d_out_row0 + c];
      gradient1[n] = d_out[d_out_row1 + c];
      d.x += lane_dot(gradient0[n], out[out_row0 + c]);
      d.y += lane_dot(gradient1[n], out[out_row1 + c]);
    }
  }
  parts[lane] = d;
  workgroupBarrier();
  d = part_sum(first);
  workgroupBarrier();
  let l0 = log_sum_exp[LOG_SUM_EXP_OFFSET + statistics + min(row0, LQ - 1u)];
  let l1 = log_sum_exp[LOG_SUM_EXP_OFFSET + statistics + min(row1, LQ - 1u)];
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
    var da0 = vec4f();
    var da1 = vec4f();
    var db0 = vec4f();
    var db1 = vec4f();
    for (var n = 0u; n < lanes; n++) {
      let at = n * PARTS + part;
      let near = k_quad(at);
      let far = k_quad(at + 4u * WIDTH);
      a0 += quad_dots(query0[n], near);
      a1 += quad_dots(query1[n], near);
      b0 += quad_dots(query0[n], far);
      b1 += quad_dots(query1[n], far);
      let near_value = v_quad(at);
      let far_value = v_quad(at + 4u * WIDTH);
      da0 += quad_dots(gradient0[n], near_value);
      da1 += quad_dots(gradient1[n], near_value);
      db0 += quad_dots(gradient0[n], far_value);
      db1 += quad_dots(gradient1[n], far_value);
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
    let near_valid = vec4u(j) + STEPS < vec4u(LK);
    let far_valid = vec4u(j + 4u) + STEPS < vec4u(LK);
    let ds_a0 = select(vec4f(), exponential4(part_sum(first) - l0) * (part_sum(256u + first) - d.x), near_valid);
    let ds_b0 = select(vec4f(), exponential4(part_sum(64u + first) - l0) * (part_sum(320u + first) - d.x), far_valid);
    let ds_a1 = select(vec4f(), exponential4(part_sum(128u + first) - l1) * (part_sum(384u + first) - d.y), near_valid);
    let ds_b1 = select(vec4f(), exponential4(part_sum(192u + first) - l1) * (part_sum(448u + first) - d.y), far_valid);
    for (var n = 0u; n < lanes; n++) {
      let at = n * PARTS + part;
      let near = k_quad(at);
      let far = k_quad(at + 4u * WIDTH);
      sum0[n] += quad_sum(near, ds_a0) + quad_sum(far, ds_b0);
      sum1[n] += quad_sum(near, ds_a1) + quad_sum(far, ds_b1);
    }
    workgroupBarrier();
  }
  let dq_head = DQ_OFFSET + g * DQ_GROUP + h * HEAD_LANES;
  for (var n = 0u; n < lanes; n++) {
    let c = n * PARTS + part;
    if (c < HEAD_LANES && row0 < LQ) {
      dq[dq_head + row0 * DQ_ROW + c] = sum0[n] * SCALE;
    }
    if (c < HEAD_LANES && row1 < LQ) {
      dq[dq_head + row1 * DQ_ROW + c] = sum1[n] * SCALE;
    }
  }
  if (part == 0u && row0 < LQ) {
    delta[statistics + row0] = d.x;
  }
  if (part == 0u && row1 < LQ) {
    delta[statistics + row1] = d.y;
  }
}
