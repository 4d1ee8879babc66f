// Backward of layer norm where the invocations of one subgroup hold a row in registers, and the sums over the rows of a
// part with it: the mathematics and layout of layer-norm-backward.wgsl, every element of x and d_out read once, no
// barrier.
//
// Header: as layer-norm-backward.wgsl without MOST_PART_ROWS, HELD (loads of a row that an invocation holds:
// INVOCATIONS · HELD is at least COLUMNS).

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let part = group.x + group.y * GRID_X;
  if (part >= PARTS) {
    return;
  }
  let first = part * PART_ROWS;
  let end = min(first + PART_ROWS, ROWS);
  let share = 1.0 / (f32(COLUMNS) * ELEMENT_WIDTH);
  // Beyond the last column the last one is read, and counts as nothing.
#for I in 0..HELD
  let is_in{I} = I * INVOCATIONS + invocation < COLUMNS;
  let column{I} = min(I * INVOCATIONS + invocation, COLUMNS - 1u);
  let weight{I} = weight[WEIGHT_OFFSET + column{I}];
  var weight_sum{I} = Element();
  var bias_sum{I} = Element();
#end
  for (var row = first; row < end; row++) {
    let d_out_start = row_start(row, DOUT_OFFSET, DOUT_INNER, DOUT_INVERSE, DOUT_INNER_STRIDE, DOUT_OUTER_STRIDE);
    let x_start = row_start(row, X_OFFSET, X_INNER, X_INVERSE, X_INNER_STRIDE, X_OUTER_STRIDE);
    let dx_start = row_start(row, DX_OFFSET, DX_INNER, DX_INVERSE, DX_INNER_STRIDE, DX_OUTER_STRIDE);
    let row_mean = mean[MEAN_OFFSET + row];
    let row_rstd = rstd[RSTD_OFFSET + row];
#for I in 0..HELD
    let given{I} = Element(d_out[d_out_start + column{I}]);
    let loaded{I} = x[x_start + column{I}];
#end
    var gradient_sum = Element();
    var slope_sum = Element();
    var centred_sum = Element();
#for I in 0..HELD
    let gradient{I} = select(Element(), given{I} * weight{I}, is_in{I});
    let apart{I} = select(Element(), loaded{I} - row_mean, is_in{I});
    gradient_sum += gradient{I};
    slope_sum += gradient{I} * apart{I};
    centred_sum += apart{I};
#end
    let sums = vec3f(element_sum(gradient_sum), element_sum(slope_sum), element_sum(centred_sum));
    let means = workgroup_sum3(sums, invocation) * share;
    let off = means.z;
    // mean(g · (x − μ)) from sums taken with the rounded mean.
    let slope = (means.y - off * means.x) * row_rstd * row_rstd;
#for I in 0..HELD
    let centred{I} = apart{I} - off;
    weight_sum{I} += given{I} * centred{I} * row_rstd;
    bias_sum{I} += given{I};
    if (is_in{I}) {
      var before = Element();
      if (ACCUMULATE != 0u) {
        before = dx[dx_start + column{I}];
      }
      dx[dx_start + column{I}] = row_rstd * (gradient{I} - means.x - centred{I} * slope) + before;
    }
#end
  }
#for I in 0..HELD
  if (is_in{I}) {
    parts[WEIGHT_PARTS_OFFSET + part * COLUMNS + column{I}] = weight_sum{I};
    parts[BIAS_PARTS_OFFSET + part * COLUMNS + column{I}] = bias_sum{I};
  }
#end
}
