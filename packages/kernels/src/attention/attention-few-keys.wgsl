// Attention with at most eight keys where a subgroup shares what it loads, for processors: the mathematics and layout of
// attention-tiled.wgsl, the products of attention-subgroup-products.wgsl with the roles exchanged: the keys are the block
// (ROWS 8), and every invocation has four queries of one step of STEP_ROWS queries. All keys of a query then are one
// invocation's, and one pass is enough.
//
// Header: as attention-subgroup-products.wgsl, which precedes it; math/exponential.wgsl.
// Data: that of attention-tiled.wgsl; BLOCKS counts steps of queries.

var<storage, read> q: array<Element>;
var<storage, read> k: array<Element>;
var<storage, read> v: array<Element>;
var<storage, read_write> out: array<Element>;
var<storage, read_write> log_sum_exp: array<f32>;

const LOWEST = -3.4e38;

fn add_value(value: vec4f, weights: vec4f, sum: ptr<function, mat4x4f>) {
  (*sum)[0] += value * weights.x;
  (*sum)[1] += value * weights.y;
  (*sum)[2] += value * weights.z;
  (*sum)[3] += value * weights.w;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = group.x + group.y * GRID_X;
  if (tile >= TILES) {
    return;
  }
  let step_row = tile % BLOCKS * STEP_ROWS;
  let h = (tile / BLOCKS) % HEADS;
  let g = tile / (BLOCKS * HEADS);
  let q_rows = Rows(Q_OFFSET + g * Q_GROUP + h * HEAD, Q_ROW, LQ - 1u);
  let k_rows = Rows(K_OFFSET + g * K_GROUP + h * HEAD, K_ROW, LK - 1u);
  let v_rows = Rows(V_OFFSET + g * V_GROUP + h * HEAD, V_ROW, LK - 1u);
  var weights = products(&k, k_rows, 0u, &q, q_rows, step_row, lane);
  var m = vec4f(LOWEST);
#for KEY in 0..ROWS
  // Keys beyond the last are that key again and weigh nothing.
  weights[KEY] = select(vec4f(LOWEST), weights[KEY] * SCALE, KEY < LK);
  m = max(m, weights[KEY]);
#end
  var l = vec4f();
#for KEY in 0..ROWS
  weights[KEY] = exponential4(weights[KEY] - m);
  l += weights[KEY];
#end
  let factor = 1.0 / l;
  let out_head = OUT_OFFSET + g * OUT_GROUP + h * HEAD;
  let row = step_row + 4u * lane;
  for (var c = 0u; c < rolled(VEC4S); c++) {
    var values = block_parts(&v, v_rows, 0u, c, lane);
    var sum = mat4x4f();
#for KEY in 0..ROWS
    add_value(subgroupBroadcast(part(&values, KEY / LANES), KEY % LANES), weights[KEY], &sum);
#end
#for ROW in 0..4
    if (row + ROW < LQ) {
      store_vec4(&out, out_head + (row + ROW) * OUT_ROW, c, sum[ROW] * factor[ROW]);
    }
#end
  }
  let log_sums = m + log(l);
  let statistics = LOG_SUM_EXP_OFFSET + (g * HEADS + h) * LQ + row;
#for ROW in 0..4
  if (row + ROW < LQ) {
    log_sum_exp[statistics + ROW] = log_sums[ROW];
  }
#end
}
