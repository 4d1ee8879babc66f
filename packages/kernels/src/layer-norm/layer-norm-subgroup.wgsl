// Layer norm where the invocations of one subgroup hold a row in registers: the mathematics and layout of
// layer-norm.wgsl, every element of x read once, no barrier.
//
// Header: as layer-norm.wgsl, HELD (loads of a row that an invocation holds: INVOCATIONS · HELD is at least COLUMNS).

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let row = group.x + group.y * GRID_X;
  if (row >= ROWS) {
    return;
  }
  let x_start = row_start(row, X_OFFSET, X_INNER, X_INVERSE, X_INNER_STRIDE, X_OUTER_STRIDE);
  let out_start = row_start(row, OUT_OFFSET, OUT_INNER, OUT_INVERSE, OUT_INNER_STRIDE, OUT_OUTER_STRIDE);
  let count = f32(COLUMNS) * ELEMENT_WIDTH;
  // Beyond the last column the last one is read, and counts as nothing.
#for I in 0..HELD
  let column{I} = I * INVOCATIONS + invocation;
  let loaded{I} = x[x_start + min(column{I}, COLUMNS - 1u)];
#end
  let pivot = element_sum(x[x_start]) / ELEMENT_WIDTH;
  var sum = Element();
#for I in 0..HELD
  sum += select(Element(), loaded{I} - pivot, column{I} < COLUMNS);
#end
  let remainder = workgroup_sum(element_sum(sum), invocation) / count;
  var squares = Element();
#for I in 0..HELD
  let centred{I} = select(Element(), (loaded{I} - pivot) - remainder, column{I} < COLUMNS);
  squares += centred{I} * centred{I};
#end
  let variance = workgroup_sum(element_sum(squares), invocation) / count;
  let row_rstd = 1.0 / sqrt(variance + EPSILON);
#for I in 0..HELD
  if (column{I} < COLUMNS) {
    let value = centred{I} * row_rstd * weight[WEIGHT_OFFSET + column{I}] + bias[BIAS_OFFSET + column{I}];
    out[out_start + column{I}] = Stored(value);
  }
#end
  if (invocation == 0u) {
    mean[MEAN_OFFSET + row] = pivot + remainder;
    rstd[RSTD_OFFSET + row] = row_rstd;
  }
}
