// Sum of all elements of rows: partials[group] = SCALE · Σ x over the group's block of BLOCK elements; with one
// group the partial is the sum. Unless ACCUMULATE is 0, out += the same.
//
// Header: INVOCATIONS, COUNT, COLUMNS, BLOCK, GRID_X, GROUPS, SCALE, ACCUMULATE, IS_CONTIGUOUS, X_* (row addressing), OUT_OFFSET;
// workgroup-sum.wgsl, row-start.wgsl.
//
// Each invocation adds every INVOCATIONS-th element of the block, then the workgroup adds up. Two dispatches sum any
// array in a fixed order, with chains of additions short enough for 1e-6 of the sum of a million terms.

var<storage, read> x: array<f32>;
var<storage, read_write> out: array<f32>;

fn place(i: u32) -> u32 {
  if (IS_CONTIGUOUS) {
    return X_OFFSET + i;
  }
  let row = i / COLUMNS;
  return row_start(row, X_OFFSET, X_INNER, X_INVERSE, X_INNER_STRIDE, X_OUTER_STRIDE) + i - row * COLUMNS;
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let index = group.x + group.y * GRID_X;
  if (index >= GROUPS) {
    return;
  }
  let end = min((index + 1u) * BLOCK, COUNT);
  var sum = 0.0;
  for (var i = index * BLOCK + invocation; i < end; i += INVOCATIONS) {
    sum += x[place(i)];
  }
  let total = workgroup_sum(sum, invocation) * SCALE;
  if (invocation == 0u) {
    if (ACCUMULATE != 0u) {
      out[OUT_OFFSET + index] += total;
    } else {
      out[OUT_OFFSET + index] = total;
    }
  }
}
