// Attention, gradients of the keys and values, where a subgroup shares what it loads: the mathematics, layout and split
// sums of attention-backward-key.wgsl, the division of work of attention-subgroup-products.wgsl with keys kept and queries passed.
//
// Header: that of attention-backward-key.wgsl and LANES, ROWS, DEPTH; attention-subgroup-products.wgsl;
// quad-gradients-split.wgsl or quad-gradients-joined.wgsl. Needs `enable subgroups` besides.

@group(0) @binding(2) var<storage, read> q: array<Lane>;
@group(0) @binding(3) var<storage, read> k: array<Lane>;
@group(0) @binding(4) var<storage, read> v: array<Lane>;
@group(0) @binding(5) var<storage, read> d_out: array<Lane>;
@group(0) @binding(6) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(7) var<storage, read> delta: array<f32>;

const BLOCKS = (LK + ROWS - 1u) / ROWS;

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
  let q_rows = Rows(Q_OFFSET + g * Q_GROUP + h * HEAD_LANES, Q_ROW, LQ - 1u);
  let k_rows = Rows(K_OFFSET + g * K_GROUP + h * HEAD_LANES, K_ROW, LK - 1u);
  let v_rows = Rows(V_OFFSET + g * V_GROUP + h * HEAD_LANES, V_ROW, LK - 1u);
  let d_out_rows = Rows(D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD_LANES, D_OUT_ROW, LQ - 1u);
  let statistics = (g * HEADS + h) * LQ;
  var key_sum: Sums = Sums();
  var value_sum: Sums = Sums();
  for (var query = split * CHUNK; query < rolled(end); query += PASSED) {
    // Queries beyond the last read that query again and count nothing.
    let own = vec4u(query + 4u * lane) + STEPS;
    let valid = own < vec4u(end);
    let at = statistics + min(own, vec4u(LQ - 1u));
    let l_at = LOG_SUM_EXP_OFFSET + at;
    let l = vec4f(log_sum_exp[l_at.x], log_sum_exp[l_at.y], log_sum_exp[l_at.z], log_sum_exp[l_at.w]);
    let d = vec4f(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
    var p = products(&k, k_rows, row, &q, q_rows, query, lane);
    var ds = products(&v, v_rows, row, &d_out, d_out_rows, query, lane);
    weigh(0u, l, d, valid, &p, &ds);
    weigh(1u, l, d, valid, &p, &ds);
    weigh(2u, l, d, valid, &p, &ds);
    weigh(3u, l, d, valid, &p, &ds);
    weigh(4u, l, d, valid, &p, &ds);
    weigh(5u, l, d, valid, &p, &ds);
    weigh(6u, l, d, valid, &p, &ds);
    weigh(7u, l, d, valid, &p, &ds);
    if (ROWS > 8u) {
      weigh(8u, l, d, valid, &p, &ds);
      weigh(9u, l, d, valid, &p, &ds);
      weigh(10u, l, d, valid, &p, &ds);
      weigh(11u, l, d, valid, &p, &ds);
      weigh(12u, l, d, valid, &p, &ds);
      weigh(13u, l, d, valid, &p, &ds);
      weigh(14u, l, d, valid, &p, &ds);
      weigh(15u, l, d, valid, &p, &ds);
    }
    add_weighted(&p, &d_out, d_out_rows, query, lane, &value_sum);
    add_weighted(&ds, &q, q_rows, query, lane, &key_sum);
  }

  let dk_head = DK_OFFSET + split * SPLIT_STRIDE + g * DK_GROUP + h * HEAD_LANES;
  let dv_head = DV_OFFSET + split * SPLIT_STRIDE + g * DV_GROUP + h * HEAD_LANES;
  let rows = min(ROWS, LK - row);
  for (var r = 0u; r < rows; r++) {
    for (var share = 0u; share < SHARES; share++) {
      let quad = share * LANES + lane;
      store_dk_quad(dk_head + (row + r) * DK_ROW, quad, key_sum[r * SHARES + share] * SCALE);
      store_dv_quad(dv_head + (row + r) * DV_ROW, quad, value_sum[r * SHARES + share]);
    }
  }
}
