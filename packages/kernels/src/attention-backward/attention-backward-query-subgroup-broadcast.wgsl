// Attention, gradient of the queries, where a subgroup shares what it loads: the mathematics and layout of
// attention-backward-query.wgsl, the division of work of attention-subgroup-products.wgsl with queries kept and keys passed.
//
// Header: that of attention-backward-query.wgsl and LANES, ROWS, DEPTH; attention-subgroup-products.wgsl. Needs
// `enable subgroups` besides.

@group(0) @binding(0) var<storage, read_write> dq: array<Lane>;
@group(0) @binding(1) var<storage, read_write> delta: array<f32>;
@group(0) @binding(2) var<storage, read> q: array<Lane>;
@group(0) @binding(3) var<storage, read> k: array<Lane>;
@group(0) @binding(4) var<storage, read> v: array<Lane>;
@group(0) @binding(5) var<storage, read> out: array<Lane>;
@group(0) @binding(6) var<storage, read> d_out: array<Lane>;
@group(0) @binding(7) var<storage, read> log_sum_exp: array<f32>;

const BLOCKS = (LQ + ROWS - 1u) / ROWS;

// Of the kept rows that the invocation holds: log-sum-exp and D.
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
  let q_rows = Rows(Q_OFFSET + g * Q_GROUP + h * HEAD_LANES, Q_ROW, LQ - 1u);
  let k_rows = Rows(K_OFFSET + g * K_GROUP + h * HEAD_LANES, K_ROW, LK - 1u);
  let v_rows = Rows(V_OFFSET + g * V_GROUP + h * HEAD_LANES, V_ROW, LK - 1u);
  let out_rows = Rows(OUT_OFFSET + g * OUT_GROUP + h * HEAD_LANES, OUT_ROW, LQ - 1u);
  let d_out_rows = Rows(D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD_LANES, D_OUT_ROW, LQ - 1u);
  let first = (g * HEADS + h) * LQ;
  var statistics: Statistics = Statistics();
  for (var i = 0u; i < LOADS; i++) {
    let own = row + i * LANES + lane;
    var d = 0.0;
    for (var quad = 0u; quad < rolled(QUADS); quad++) {
      d += dot(row_quad(&out, out_rows, own, quad), row_quad(&d_out, d_out_rows, own, quad));
    }
    statistics[i] = vec2f(log_sum_exp[LOG_SUM_EXP_OFFSET + first + min(own, LQ - 1u)], d);
    if (own < min(row + ROWS, LQ)) {
      delta[first + own] = d;
    }
  }

  var sum: Sums = Sums();
  for (var key = 0u; key < rolled(LK); key += PASSED) {
    // Keys beyond the last read that key again and count nothing.
    let valid = vec4u(key + 4u * lane) + STEPS < vec4u(LK);
    var ds = products(&q, q_rows, row, &k, k_rows, key, lane);
    var dp = products(&d_out, d_out_rows, row, &v, v_rows, key, lane);
    slope(0u, subgroupBroadcast(held(&statistics, 0u / LANES), 0u % LANES), valid, &ds, &dp);
    slope(1u, subgroupBroadcast(held(&statistics, 1u / LANES), 1u % LANES), valid, &ds, &dp);
    slope(2u, subgroupBroadcast(held(&statistics, 2u / LANES), 2u % LANES), valid, &ds, &dp);
    slope(3u, subgroupBroadcast(held(&statistics, 3u / LANES), 3u % LANES), valid, &ds, &dp);
    slope(4u, subgroupBroadcast(held(&statistics, 4u / LANES), 4u % LANES), valid, &ds, &dp);
    slope(5u, subgroupBroadcast(held(&statistics, 5u / LANES), 5u % LANES), valid, &ds, &dp);
    slope(6u, subgroupBroadcast(held(&statistics, 6u / LANES), 6u % LANES), valid, &ds, &dp);
    slope(7u, subgroupBroadcast(held(&statistics, 7u / LANES), 7u % LANES), valid, &ds, &dp);
    if (ROWS > 8u) {
      slope(8u, subgroupBroadcast(held(&statistics, 8u / LANES), 8u % LANES), valid, &ds, &dp);
      slope(9u, subgroupBroadcast(held(&statistics, 9u / LANES), 9u % LANES), valid, &ds, &dp);
      slope(10u, subgroupBroadcast(held(&statistics, 10u / LANES), 10u % LANES), valid, &ds, &dp);
      slope(11u, subgroupBroadcast(held(&statistics, 11u / LANES), 11u % LANES), valid, &ds, &dp);
      slope(12u, subgroupBroadcast(held(&statistics, 12u / LANES), 12u % LANES), valid, &ds, &dp);
      slope(13u, subgroupBroadcast(held(&statistics, 13u / LANES), 13u % LANES), valid, &ds, &dp);
      slope(14u, subgroupBroadcast(held(&statistics, 14u / LANES), 14u % LANES), valid, &ds, &dp);
      slope(15u, subgroupBroadcast(held(&statistics, 15u / LANES), 15u % LANES), valid, &ds, &dp);
    }
    add_weighted(&ds, &k, k_rows, key, lane, &sum);
  }

  let dq_head = DQ_OFFSET + g * DQ_GROUP + h * HEAD_LANES;
  let rows = min(ROWS, LQ - row);
  for (var r = 0u; r < rows; r++) {
    for (var share = 0u; share < SHARES; share++) {
      store_quad(&dq, dq_head + (row + r) * DQ_ROW, share * LANES + lane, sum[r * SHARES + share] * SCALE);
    }
  }
}
