// Backward of layer norm. With x̂ = (x − μ) · rstd and g = dOut · weight:
//   dx = rstd · (g − mean(g) − x̂ · mean(g · x̂)),   means over the row's columns; with ACCUMULATE, dx += the same;
//   dWeight = Σ_r dOut[r] · x̂[r],  dBias = Σ_r dOut[r],   over the rows of a part: partial-sums.wgsl adds the parts
// up.
//
// Header: Element (f32 or vec4f; COLUMNS, strides and offsets of rows, weight and parts count Elements), INVOCATIONS,
// ROWS, COLUMNS, PART_ROWS (at most MOST_PART_ROWS), PARTS, GRID_X, ACCUMULATE, DOUT_*, X_*, DX_* (row addressing),
// WEIGHT_OFFSET, MEAN_OFFSET, RSTD_OFFSET, WEIGHT_PARTS_OFFSET, BIAS_PARTS_OFFSET; workgroup-sum.wgsl, row-start.wgsl,
// layer-norm-backward-arrays.wgsl, which has the layout. A workgroup has one part, PART_ROWS rows: two passes over each
// row for dx, then one over all of them, column by column, while they are in its cache.
//
// The saved mean is rounded to f32, which matters where it is large. What it is off by is the mean of x − mean,
// one more sum in the same pass.

// What the saved mean of each row of the part is off by.
var<workgroup> corrections: array<f32, MOST_PART_ROWS>;

// Writes dx of a row; notes in `slot` what its mean is off by.
fn finish_row(row: u32, slot: u32, invocation: u32) {
  let d_out_start = row_start(row, DOUT_OFFSET, DOUT_INNER, DOUT_INVERSE, DOUT_INNER_STRIDE, DOUT_OUTER_STRIDE);
  let x_start = row_start(row, X_OFFSET, X_INNER, X_INVERSE, X_INNER_STRIDE, X_OUTER_STRIDE);
  let dx_start = row_start(row, DX_OFFSET, DX_INNER, DX_INVERSE, DX_INNER_STRIDE, DX_OUTER_STRIDE);
  let row_mean = mean[MEAN_OFFSET + row];
  let row_rstd = rstd[RSTD_OFFSET + row];

  var gradient_sum = Element();
  var slope_sum = Element();
  var centred_sum = Element();
  for (var c = invocation; c < COLUMNS; c += INVOCATIONS) {
    let gradient = Element(d_out[d_out_start + c]) * weight[WEIGHT_OFFSET + c];
    let centred = x[x_start + c] - row_mean;
    gradient_sum += gradient;
    slope_sum += gradient * centred;
    centred_sum += centred;
  }
  let sums = vec3f(element_sum(gradient_sum), element_sum(slope_sum), element_sum(centred_sum));
  let share = 1.0 / (f32(COLUMNS) * ELEMENT_WIDTH);
  let means = workgroup_sum3(sums, invocation) * share;
  let off = means.z;
  // mean(g · (x − μ)) from sums taken with the rounded mean.
  let slope = (means.y - off * means.x) * row_rstd * row_rstd;

  if (ACCUMULATE != 0u) {
    for (var c = invocation; c < COLUMNS; c += INVOCATIONS) {
      let gradient = Element(d_out[d_out_start + c]) * weight[WEIGHT_OFFSET + c];
      let centred = (x[x_start + c] - row_mean) - off;
      dx[dx_start + c] += row_rstd * (gradient - means.x - centred * slope);
    }
  } else {
    for (var c = invocation; c < COLUMNS; c += INVOCATIONS) {
      let gradient = Element(d_out[d_out_start + c]) * weight[WEIGHT_OFFSET + c];
      let centred = (x[x_start + c] - row_mean) - off;
      dx[dx_start + c] = row_rstd * (gradient - means.x - centred * slope);
    }
  }
  if (invocation == 0u) {
    corrections[slot] = off;
  }
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let part = group.x + group.y * GRID_X;
  if (part >= PARTS) {
    return;
  }
  let first = part * PART_ROWS;
  let end = min(first + PART_ROWS, ROWS);
  for (var row = first; row < end; row++) {
    finish_row(row, row - first, invocation);
  }
  workgroupBarrier();
  for (var c = invocation; c < COLUMNS; c += INVOCATIONS) {
    var weight_sum = Element();
    var bias_sum = Element();
    for (var row = first; row < end; row++) {
      let d_out_start = row_start(row, DOUT_OFFSET, DOUT_INNER, DOUT_INVERSE, DOUT_INNER_STRIDE, DOUT_OUTER_STRIDE);
      let x_start = row_start(row, X_OFFSET, X_INNER, X_INVERSE, X_INNER_STRIDE, X_OUTER_STRIDE);
      let gradient = Element(d_out[d_out_start + c]);
      let centred = (x[x_start + c] - mean[MEAN_OFFSET + row]) - corrections[row - first];
      weight_sum += gradient * centred * rstd[RSTD_OFFSET + row];
      bias_sum += gradient;
    }
    parts[WEIGHT_PARTS_OFFSET + part * COLUMNS + c] = weight_sum;
    parts[BIAS_PARTS_OFFSET + part * COLUMNS + c] = bias_sum;
  }
}
