// Attention, gradients of the keys and values, where a subgroup shares what it loads: the mathematics, layout and split
// sums of attention-backward-key-tiled.wgsl, the division of work of attention-subgroup-products.wgsl with blocks of keys
// and steps of queries.
//
// Header: as attention-subgroup-products.wgsl, which precedes it; math/exponential.wgsl, attention-gradient-stores.wgsl.
// Data: attention-backward-key-arrays.wgsl.

// Scores and dp of a key become p and ds.
fn weigh(row: u32, l: vec4f, d: vec4f, valid: vec4<bool>, p: ptr<function, Tile>, ds: ptr<function, Tile>) {
  let weight = select(vec4f(), exponential4((*p)[row] * SCALE - l), valid);
  (*p)[row] = weight;
  (*ds)[row] = weight * ((*ds)[row] - d);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = group.x + group.y * GRID_X;
  if (tile >= TILES) {
    return;
  }
  let row = tile % BLOCKS * ROWS;
  let split = (tile / BLOCKS) % SPLITS;
  let h = (tile / (BLOCKS * SPLITS)) % HEADS;
  let g = tile / (BLOCKS * SPLITS * HEADS);
  let end = min((split + 1u) * CHUNK, LQ);
  let q_rows = Rows(Q_OFFSET + g * Q_GROUP + h * HEAD, Q_ROW, LQ - 1u);
  let k_rows = Rows(K_OFFSET + g * K_GROUP + h * HEAD, K_ROW, LK - 1u);
  let v_rows = Rows(V_OFFSET + g * V_GROUP + h * HEAD, V_ROW, LK - 1u);
  let d_out_rows = Rows(D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD, D_OUT_ROW, LQ - 1u);
  let statistics = (g * HEADS + h) * LQ;
  var key_sum: Sums = Sums();
  var value_sum: Sums = Sums();
  for (var query = split * CHUNK; query < end; query += STEP_ROWS) {
    // Queries beyond the last read that query again and count nothing.
    let own = vec4u(query + 4u * lane) + STEPS;
    let valid = own < vec4u(end);
    let at = statistics + min(own, vec4u(LQ - 1u));
    let l_at = LOG_SUM_EXP_OFFSET + at;
    let l = vec4f(log_sum_exp[l_at.x], log_sum_exp[l_at.y], log_sum_exp[l_at.z], log_sum_exp[l_at.w]);
    let d = vec4f(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
    var p = products(&k, k_rows, row, &q, q_rows, query, lane);
    var ds = products(&v, v_rows, row, &d_out, d_out_rows, query, lane);
#for R in 0..ROWS
    weigh(R, l, d, valid, &p, &ds);
#end
    add_weighted(&p, &d_out, d_out_rows, query, lane, &value_sum);
    add_weighted(&ds, &q, q_rows, query, lane, &key_sum);
  }

  let dk_head = DK_OFFSET + split * SPLIT_STRIDE + g * DK_GROUP + h * HEAD;
  let dv_head = DV_OFFSET + split * SPLIT_STRIDE + g * DV_GROUP + h * HEAD;
  let rows = min(ROWS, LK - row);
  // How many of the shares hold channels of the head, not the filling of the last.
  let shares = (VEC4S + LANES - 1u - lane) / LANES;
  for (var r = 0u; r < rows; r++) {
    for (var share = 0u; share < shares; share++) {
      let c = share * LANES + lane;
      store_dk(dk_head + (row + r) * DK_ROW, c, key_sum[r * SHARES + share] * SCALE);
      store_dv(dv_head + (row + r) * DV_ROW, c, value_sum[r * SHARES + share]);
    }
  }
}
