// Sums of squared errors, first of two stages: for each part of PART_ROWS rows and each of GROUPS runs of GROUP_COLUMNS
// neighbouring columns, partials[group · PARTS + part] = Σ (p − t)².
//
// Header: Element (f32 or vec4f; COUNT, columns, strides and offsets count Elements), INVOCATIONS, ROWS, GROUP_COLUMNS, COUNT
// (Elements of a group: the last row may be short), PART_ROWS, PARTS, GRID_X, GROUPS, PREDICTION_* and TARGET_* (row
// addressing); workgroup-sum.wgsl, row-start.wgsl.
// A workgroup has one part of one group: each invocation adds every INVOCATIONS-th column of its rows, then the workgroup
// adds up: fixed order, short chains.

var<storage, read> prediction: array<Element>;
var<storage, read> goal: array<Element>;
var<storage, read_write> partials: array<f32>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let index = group.x + group.y * GRID_X;
  if (index >= PARTS * GROUPS) {
    return;
  }
  let column_group = index / PARTS;
  let first_row = (index - column_group * PARTS) * PART_ROWS;
  let first_column = column_group * GROUP_COLUMNS;
  var sum = Element();
  for (var row = first_row; row < min(first_row + PART_ROWS, ROWS); row++) {
    let p = first_column +
        row_start(row, PREDICTION_OFFSET, PREDICTION_INNER, PREDICTION_INVERSE, PREDICTION_INNER_STRIDE, PREDICTION_OUTER_STRIDE);
    let t = first_column + row_start(row, TARGET_OFFSET, TARGET_INNER, TARGET_INVERSE, TARGET_INNER_STRIDE, TARGET_OUTER_STRIDE);
    let columns = min(GROUP_COLUMNS, COUNT - row * GROUP_COLUMNS);
    for (var c = invocation; c < columns; c += INVOCATIONS) {
      let error = prediction[p + c] - goal[t + c];
      sum += error * error;
    }
  }
  let total = workgroup_sum(element_sum(sum), invocation);
  if (invocation == 0u) {
    partials[index] = total;
  }
}
