// Attention where a subgroup shares what it loads, for processors: the mathematics and layout of attention-tiled.wgsl,
// the division of work of attention-subgroup-products.wgsl with blocks of queries and steps of keys.
//
// Header: as attention-subgroup-products.wgsl, which precedes it; math/exponential.wgsl.
// Data: attention-arrays.wgsl.

const LOWEST = -3.4e38;

// Of four rows each.
alias Statistics = array<vec4f, ROWS / 4u>;

fn largest(s: vec4f) -> f32 {
  return max(max(s.x, s.y), max(s.z, s.w));
}

fn scale_sums(row: u32, factor: f32, sum: ptr<function, Sums>) {
  for (var share = 0u; share < SHARES; share++) {
    (*sum)[row * SHARES + share] *= factor;
  }
}

// Turns the scores of rows 4n … 4n + 3 into weights relative to the largest score so far.
fn weigh(
  n: u32,
  valid: vec4<bool>,
  tile: ptr<function, Tile>,
  m: ptr<function, Statistics>,
  l: ptr<function, Statistics>,
  sum: ptr<function, Sums>,
) {
  let r = 4u * n;
  let s0 = select(vec4f(LOWEST), (*tile)[r] * SCALE, valid);
  let s1 = select(vec4f(LOWEST), (*tile)[r + 1u] * SCALE, valid);
  let s2 = select(vec4f(LOWEST), (*tile)[r + 2u] * SCALE, valid);
  let s3 = select(vec4f(LOWEST), (*tile)[r + 3u] * SCALE, valid);
  let before = (*m)[n];
  let top = max(before, subgroupMax(vec4f(largest(s0), largest(s1), largest(s2), largest(s3))));
  let keep = exponential4(before - top);
  let p0 = exponential4(s0 - top.x);
  let p1 = exponential4(s1 - top.y);
  let p2 = exponential4(s2 - top.z);
  let p3 = exponential4(s3 - top.w);
  let ones = vec4f(1.0);
  (*m)[n] = top;
  (*l)[n] = (*l)[n] * keep + vec4f(dot(p0, ones), dot(p1, ones), dot(p2, ones), dot(p3, ones));
  (*tile)[r] = p0;
  (*tile)[r + 1u] = p1;
  (*tile)[r + 2u] = p2;
  (*tile)[r + 3u] = p3;
  if (LK > STEP_ROWS) {
    scale_sums(r, keep.x, sum);
    scale_sums(r + 1u, keep.y, sum);
    scale_sums(r + 2u, keep.z, sum);
    scale_sums(r + 3u, keep.w, sum);
  }
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
  var sum: Sums = Sums();
  var m: Statistics = Statistics();
  var l: Statistics = Statistics();
  for (var n = 0u; n < ROWS / 4u; n++) {
    m[n] = vec4f(LOWEST);
  }
  for (var key = 0u; key < LK; key += STEP_ROWS) {
    // Keys beyond the last read that key again and weigh nothing.
    let valid = vec4u(key + 4u * lane) + STEPS < vec4u(LK);
    var weights = products(&q, q_rows, row, &k, k_rows, key, lane);
#for N in 0..ROWS / 4
    weigh(N, valid, &weights, &m, &l, &sum);
#end
    add_weighted(&weights, &v, v_rows, key, lane, &sum);
  }

  for (var n = 0u; n < ROWS / 4u; n++) {
    l[n] = subgroupAdd(l[n]);
  }
  let statistics = LOG_SUM_EXP_OFFSET + (g * HEADS + h) * LQ + row;
  let out_head = OUT_OFFSET + g * OUT_GROUP + h * HEAD;
  let rows = min(ROWS, LQ - row);
  // How many of the shares hold channels of the head, not the filling of the last.
  let shares = (VEC4S + LANES - 1u - lane) / LANES;
  for (var r = 0u; r < rows; r++) {
    let total = l[r / 4u][r % 4u];
    for (var share = 0u; share < shares; share++) {
      let value = sum[r * SHARES + share] / total;
      store_vec4(&out, out_head + (row + r) * OUT_ROW, share * LANES + lane, value);
    }
  }
  for (var r = 0u; r < select(0u, rows, lane == 0u); r++) {
    log_sum_exp[statistics + r] = m[r / 4u][r % 4u] + log(l[r / 4u][r % 4u]);
  }
}
