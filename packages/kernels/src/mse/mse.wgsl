// Sums of squared errors of two column halves, first of two stages: for each block of BLOCK elements
//   partials[group] = (Σ (p − t)² over columns < HALF, the same over columns ≥ HALF).
//
// Header: Element (f32 or vec4f; COUNT, HALF, BLOCK, strides and offsets count Elements), LANES, COUNT, HALF, BLOCK,
// GRID_X, GROUPS, PREDICTION_* and TARGET_* (row addressing); workgroup-sum.wgsl or workgroup-sum-subgroups.wgsl.
// Layout: rows of 2·HALF columns at two levels of strides. Each invocation adds every LANES-th element of the
// block, then the workgroup adds up: fixed order, short chains.

@group(0) @binding(0) var<storage, read> prediction: array<Element>;
@group(0) @binding(1) var<storage, read> goal: array<Element>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec2f>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = group.x + group.y * GRID_X;
  if (index >= GROUPS) {
    return;
  }
  let end = min((index + 1u) * BLOCK, COUNT);
  var appearance = Element();
  var motion = Element();
  for (var i = index * BLOCK + lane; i < end; i += LANES) {
    let r = i / (2u * HALF);
    let c = i % (2u * HALF);
    let p = prediction[PREDICTION_OFFSET + (r / PREDICTION_INNER) * PREDICTION_OUTER_STRIDE +
        (r % PREDICTION_INNER) * PREDICTION_INNER_STRIDE + c];
    let t = goal[TARGET_OFFSET + (r / TARGET_INNER) * TARGET_OUTER_STRIDE +
        (r % TARGET_INNER) * TARGET_INNER_STRIDE + c];
    let square = (p - t) * (p - t);
    if (c < HALF) {
      appearance += square;
    } else {
      motion += square;
    }
  }
  let total = workgroup_sum3(vec3f(element_sum(appearance), element_sum(motion), 0.0), lane);
  if (lane == 0u) {
    partials[index] = total.xy;
  }
}
