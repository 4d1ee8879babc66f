// Attention with at most sixteen keys where a subgroup shares what it loads, for processors: the mathematics and layout
// of attention-tiled.wgsl. An invocation has one query and all keys, which the subgroup holds as the block of
// attention-subgroup-products.wgsl: one pass is enough, with no sums across invocations.
//
// Milliseconds of processor time on llvmpipe 25.0.7 with eight lanes, beside 4 queries an invocation, and beside a
// kernel without broadcasts: 1×800×8×8×64 1.9, 2.6 and 3.6 to 6.7; 1×8×8×8×64 0.07, 0.16 and 0.08 to 0.13.
//
// Header: as attention-subgroup-products.wgsl, which precedes it, ROWS being at least LK; math/exponential.wgsl.
// Data: attention-arrays.wgsl; BLOCKS counts blocks of LANES queries.

const LOWEST = -3.4e38;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = group.x + group.y * GRID_X;
  if (tile >= TILES) {
    return;
  }
  let row = tile % BLOCKS * LANES + lane;
  let h = (tile / BLOCKS) % HEADS;
  let g = tile / (BLOCKS * HEADS);
  var weights = array<f32, ROWS>();
  let count = rolled(VEC4S);
  let q_row = Q_OFFSET + g * Q_GROUP + h * HEAD + min(row, LQ - 1u) * Q_ROW;
  var k_places = block_places(Rows(K_OFFSET + g * K_GROUP + h * HEAD, K_ROW, LK - 1u), 0u, lane);
  var v_places = block_places(Rows(V_OFFSET + g * V_GROUP + h * HEAD, V_ROW, LK - 1u), 0u, lane);
  for (var c = 0u; c < count; c++) {
    var keys = block_parts(&k, &k_places, c);
    let query = load_vec4(&q, q_row, c);
#for KEY in 0..ROWS
    weights[KEY] += dot(query, subgroupBroadcast(part(&keys, KEY / LANES), KEY % LANES));
#end
  }
  var m = LOWEST;
#for KEY in 0..ROWS
  // Keys beyond the last are that key again and weigh nothing.
  weights[KEY] = select(LOWEST, weights[KEY] * SCALE, KEY < LK);
  m = max(m, weights[KEY]);
#end
  var l = 0.0;
#for KEY in 0..ROWS / 4
  let p{KEY} = exponential4(vec4f(weights[4u * KEY], weights[4u * KEY + 1u], weights[4u * KEY + 2u], weights[4u * KEY + 3u]) - m);
  l += dot(p{KEY}, vec4f(1.0));
#end
  let factor = 1.0 / l;
  let out_row = OUT_OFFSET + g * OUT_GROUP + h * HEAD + row * OUT_ROW;
  for (var c = 0u; c < count; c++) {
    var values = block_parts(&v, &v_places, c);
    var sum = vec4f();
#for N in 0..ROWS / 4
    sum += subgroupBroadcast(part(&values, 4u * N / LANES), 4u * N % LANES) * p{N}.x;
    sum += subgroupBroadcast(part(&values, (4u * N + 1u) / LANES), (4u * N + 1u) % LANES) * p{N}.y;
    sum += subgroupBroadcast(part(&values, (4u * N + 2u) / LANES), (4u * N + 2u) % LANES) * p{N}.z;
    sum += subgroupBroadcast(part(&values, (4u * N + 3u) / LANES), (4u * N + 3u) % LANES) * p{N}.w;
#end
    if (row < LQ) {
      store_vec4(&out, out_row, c, sum * factor);
    }
  }
  if (row < LQ) {
    log_sum_exp[LOG_SUM_EXP_OFFSET + (g * HEADS + h) * LQ + row] = m + log(l);
  }
}
