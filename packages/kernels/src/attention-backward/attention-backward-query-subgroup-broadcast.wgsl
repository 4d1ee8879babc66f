// Attention, gradient of the queries, where a subgroup shares what it loads: the mathematics and layout of
// attention-backward-query-tiled.wgsl, the division of work of attention-subgroup-products.wgsl with blocks of queries
// and steps of keys.
//
// Header: as attention-subgroup-products.wgsl, which precedes it; math/exponential.wgsl.
// Data: attention-backward-query-arrays.wgsl.

// Of the rows of the block that the invocation holds: log-sum-exp and D.
alias Statistics = array<vec2f, LOADS>;

// Scores and dp of a row become ds.
fn slope(row: u32, of_row: vec2f, valid: vec4<bool>, scores: ptr<function, Tile>, dp: ptr<function, Tile>) {
  let p = exponential4((*scores)[row] * SCALE - of_row.x);
  (*scores)[row] = select(vec4f(), p * ((*dp)[row] - of_row.y), valid);
}

fn held(statistics: ptr<function, Statistics>, i: u32) -> vec2f {
  return (*statistics)[i];
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = group.x + group.y * GRID_X;
  if (tile >= TILES) {
    return;
  }
  let row = tile % BLOCKS * ROWS;
  let h = (tile / BLOCKS) % HEADS;
  let g = tile / (BLOCKS * HEADS);
  let q_rows = Rows(Q_OFFSET + g * Q_GROUP + h * HEAD, Q_ROW, LQ - 1u);
  let k_rows = Rows(K_OFFSET + g * K_GROUP + h * HEAD, K_ROW, LK - 1u);
  let v_rows = Rows(V_OFFSET + g * V_GROUP + h * HEAD, V_ROW, LK - 1u);
  let out_rows = Rows(OUT_OFFSET + g * OUT_GROUP + h * HEAD, OUT_ROW, LQ - 1u);
  let d_out_rows = Rows(D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD, D_OUT_ROW, LQ - 1u);
  let first = (g * HEADS + h) * LQ;
  var statistics: Statistics = Statistics();
  for (var i = 0u; i < LOADS; i++) {
    let own = row + i * LANES + lane;
    let out_row = out_rows.start + min(own, LQ - 1u) * OUT_ROW;
    let d_out_row = d_out_rows.start + min(own, LQ - 1u) * D_OUT_ROW;
    let count = rolled(VEC4S);
    var d = 0.0;
    for (var c = 0u; c < count; c++) {
      d += dot(load_vec4(&out, out_row, c), load_vec4(&d_out, d_out_row, c));
    }
    statistics[i] = vec2f(log_sum_exp[LOG_SUM_EXP_OFFSET + first + min(own, LQ - 1u)], d);
    if (own < min(row + ROWS, LQ)) {
      delta[first + own] = d;
    }
  }

  var sum: Sums = Sums();
  for (var key = 0u; key < LK; key += STEP_ROWS) {
    // Keys beyond the last read that key again and count nothing.
    let valid = vec4u(key + 4u * lane) + STEPS < vec4u(LK);
    var ds = products(&q, q_rows, row, &k, k_rows, key, lane);
    var dp = products(&d_out, d_out_rows, row, &v, v_rows, key, lane);
#for R in 0..ROWS
    slope(R, subgroupBroadcast(held(&statistics, R / LANES), R % LANES), valid, &ds, &dp);
#end
    add_weighted(&ds, &k, k_rows, key, lane, &sum);
  }

  let dq_head = DQ_OFFSET + g * DQ_GROUP + h * HEAD;
  let rows = min(ROWS, LQ - row);
  // How many of the shares hold channels of the head, not the filling of the last.
  let shares = (VEC4S + LANES - 1u - lane) / LANES;
  for (var r = 0u; r < rows; r++) {
    for (var share = 0u; share < shares; share++) {
      store_vec4(&dq, dq_head + (row + r) * DQ_ROW, share * LANES + lane, sum[r * SHARES + share] * SCALE);
    }
  }
}
