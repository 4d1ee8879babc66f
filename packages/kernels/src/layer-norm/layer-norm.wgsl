// Layer norm over the columns of each row: y = (x − μ) · rstd · weight + bias, rstd = 1/√(σ² + ε), σ² biased.
// Ba, Kiros & Hinton, 2016.
//
// Header: Element (f32 or vec4f; COLUMNS, strides and offsets of rows, weight and bias count Elements), INVOCATIONS,
// ROWS, COLUMNS, GRID_X, EPSILON, X_* and OUT_* (row addressing), WEIGHT_OFFSET, BIAS_OFFSET, MEAN_OFFSET,
// RSTD_OFFSET; workgroup-sum.wgsl, row-start.wgsl, layer-norm-arrays.wgsl, which has the layout.
//
// One workgroup a row, three passes over it (mean, variance, output); the second and third hit the cache.
// Rows are taken relative to their beginning, and the mean is kept as that pivot plus a small remainder:
// with a mean far from zero, its f32 rounding alone would otherwise shift the whole normalised row.
//
// Tried on a software driver (2 cores, vectors of 8), 808 × 512, in ms forward / backward: 64 invocations a row 2.7 /
// 1.8, the same with subgroup sums 2.2 / 1.9, 16 invocations 1.05 / 0.92, 4 invocations 0.92 / 0.85; 8 invocations 0.85
// / 0.79, and 1.44 / 1.31 with loads of one f32.

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let row = group.x + group.y * GRID_X;
  if (row >= ROWS) {
    return;
  }
  let x_start = row_start(row, X_OFFSET, X_INNER, X_INVERSE, X_INNER_STRIDE, X_OUTER_STRIDE);
  let out_start = row_start(row, OUT_OFFSET, OUT_INNER, OUT_INVERSE, OUT_INNER_STRIDE, OUT_OUTER_STRIDE);
  let count = f32(COLUMNS) * ELEMENT_WIDTH;
  let pivot = element_sum(x[x_start]) / ELEMENT_WIDTH;

  var sum = Element();
  for (var c = invocation; c < COLUMNS; c += INVOCATIONS) {
    sum += x[x_start + c] - pivot;
  }
  let remainder = workgroup_sum(element_sum(sum), invocation) / count;

  var squares = Element();
  for (var c = invocation; c < COLUMNS; c += INVOCATIONS) {
    let centred = (x[x_start + c] - pivot) - remainder;
    squares += centred * centred;
  }
  let variance = workgroup_sum(element_sum(squares), invocation) / count;
  let row_rstd = 1.0 / sqrt(variance + EPSILON);

  for (var c = invocation; c < COLUMNS; c += INVOCATIONS) {
    let normalised = ((x[x_start + c] - pivot) - remainder) * row_rstd;
    out[out_start + c] = Stored(normalised * weight[WEIGHT_OFFSET + c] + bias[BIAS_OFFSET + c]);
  }
  if (invocation == 0u) {
    mean[MEAN_OFFSET + row] = pivot + remainder;
    rstd[RSTD_OFFSET + row] = row_rstd;
  }
}
