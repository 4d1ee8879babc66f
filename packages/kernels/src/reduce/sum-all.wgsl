// Sum of all elements of rows: partials[group] = SCALE · Σ x over the group's block of BLOCK elements; with one
// group the partial is the sum. With ACCUMULATE, out += the same.
//
// Header: LANES, COUNT, COLUMNS, BLOCK, GRID_X, GROUPS, SCALE, ACCUMULATE, X_* (row addressing), OUT_OFFSET;
// workgroup-sum.wgsl or workgroup-sum-subgroups.wgsl.
//
// Each invocation adds every LANES-th element of the block, then the workgroup adds up. Two dispatches sum any
// array in a fixed order, with chains of additions short enough for 1e-6 of the sum of a million terms.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = group.x + group.y * GRID_X;
  if (index >= GROUPS) {
    return;
  }
  let end = min((index + 1u) * BLOCK, COUNT);
  var sum = 0.0;
  for (var i = index * BLOCK + lane; i < end; i += LANES) {
    let r = i / COLUMNS;
    sum += x[X_OFFSET + (r / X_INNER) * X_OUTER_STRIDE + (r % X_INNER) * X_INNER_STRIDE + i % COLUMNS];
  }
  let total = workgroup_sum(sum, lane) * SCALE;
  if (lane == 0u) {
    if (ACCUMULATE) {
      out[OUT_OFFSET + index] += total;
    } else {
      out[OUT_OFFSET + index] = total;
    }
  }
}
