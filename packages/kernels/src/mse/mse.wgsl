// Sums of squared errors of two column halves, first of two stages: for each block of BLOCK elements
//   partials[group] = (Σ (p − t)² over columns < HALF, the same over columns ≥ HALF).
//
// Header: LANES, COUNT, HALF, BLOCK, GRID_X, GROUPS, PREDICTION_* and TARGET_* (row addressing);
// workgroup-sum.wgsl or workgroup-sum-subgroups.wgsl.
// Layout: rows of 2·HALF columns at two levels of strides. Each invocation adds every LANES-th element of the
// block, then the workgroup adds up: fixed order, short chains.

@group(0) @binding(0) var<storage, read> prediction: array<f32>;
@group(0) @binding(1) var<storage, read> goal: array<f32>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec2f>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = group.x + group.y * GRID_X;
  if (index >= GROUPS) {
    return;
  }
  let end = min((index + 1u) * BLOCK, COUNT);
  var sums = vec3f();
  for (var i = index * BLOCK + lane; i < end; i += LANES) {
    let r = i / (2u * HALF);
    let c = i % (2u * HALF);
    let p = prediction[PREDICTION_OFFSET + (r / PREDICTION_INNER) * PREDICTION_OUTER_STRIDE +
        (r % PREDICTION_INNER) * PREDICTION_INNER_STRIDE + c];
    let t = goal[TARGET_OFFSET + (r / TARGET_INNER) * TARGET_OUTER_STRIDE +
        (r % TARGET_INNER) * TARGET_INNER_STRIDE + c];
    let square = (p - t) * (p - t);
    sums += select(vec3f(0.0, square, 0.0), vec3f(square, 0.0, 0.0), c < HALF);
  }
  let total = workgroup_sum3(sums, lane);
  if (lane == 0u) {
    partials[index] = total.xy;
  }
}
