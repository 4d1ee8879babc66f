// What happens to four neighbouring elements of the product before they reach memory:
//
//   value = ALPHA · product + bias          (kept in pre_activation if there is one)
//   value = GELU(value) · GELU′(u) · rowScale[row / ROWS_PER_SCALE]
//   out   = out + residual + value
//
// where each factor and term is there only if its constant says so; the compiler drops the others.
// Header: N, ALPHA, HAS_BIAS, GELU, HAS_GELU_INPUT, HAS_ROW_SCALE, ROWS_PER_SCALE, HAS_RESIDUAL, ADD_TO_OUT.

fn gelu_vec4(x: vec4f) -> vec4f {
  return vec4f(gelu(x.x), gelu(x.y), gelu(x.z), gelu(x.w));
}

fn gelu_derivative_vec4(x: vec4f) -> vec4f {
  return vec4f(gelu_derivative(x.x), gelu_derivative(x.y), gelu_derivative(x.z), gelu_derivative(x.w));
}

// `row` counts the rows of out (of all groups); `column` is a multiple of four below N.
fn finish(row: u32, column: u32, product: vec4f) {
  let valid = N - column;
  var value = ALPHA * product;
  if (HAS_BIAS) {
    value += load_bias(BIAS_OFFSET + column, valid);
  }
  if (KEEP_PRE_ACTIVATION) {
    store_pre_activation(pre_activation_row(row) + column, valid, value);
  }
  if (GELU) {
    value = gelu_vec4(value);
  }
  if (HAS_GELU_INPUT) {
    value *= gelu_derivative_vec4(load_gelu_input(gelu_input_row(row) + column, valid));
  }
  if (HAS_ROW_SCALE) {
    value *= row_scale[ROW_SCALE_OFFSET + row / ROWS_PER_SCALE];
  }
  if (HAS_RESIDUAL) {
    value += load_residual(residual_row(row) + column, valid);
  }
  let start = out_row(row) + column;
  if (ADD_TO_OUT) {
    value += load_out(start, valid);
  }
  store_out(start, valid, value);
}
