// Where rows start, for every operand of matmul; placed in front of the operand files.
//
// Header: for each array X in A, B, OUT, PRE_ACTIVATION, GELU_INPUT, RESIDUAL the constants X_OFFSET, X_INNER,
// X_INNER_STRIDE, X_OUTER_STRIDE (elements) and X_TWO_LEVELS (false where one stride reaches every row, which
// saves the division).

fn row_start(row: u32, two_levels: bool, offset: u32, inner: u32, inner_stride: u32, outer_stride: u32) -> u32 {
  if (two_levels) {
    return offset + (row / inner) * outer_stride + (row % inner) * inner_stride;
  }
  return offset + row * inner_stride;
}

fn a_row(row: u32) -> u32 {
  return row_start(row, A_TWO_LEVELS, A_OFFSET, A_INNER, A_INNER_STRIDE, A_OUTER_STRIDE);
}

fn b_row(row: u32) -> u32 {
  return row_start(row, B_TWO_LEVELS, B_OFFSET, B_INNER, B_INNER_STRIDE, B_OUTER_STRIDE);
}

fn out_row(row: u32) -> u32 {
  return row_start(row, OUT_TWO_LEVELS, OUT_OFFSET, OUT_INNER, OUT_INNER_STRIDE, OUT_OUTER_STRIDE);
}

fn pre_activation_row(row: u32) -> u32 {
  return row_start(row, PRE_ACTIVATION_TWO_LEVELS, PRE_ACTIVATION_OFFSET, PRE_ACTIVATION_INNER,
                   PRE_ACTIVATION_INNER_STRIDE, PRE_ACTIVATION_OUTER_STRIDE);
}

fn gelu_input_row(row: u32) -> u32 {
  return row_start(row, GELU_INPUT_TWO_LEVELS, GELU_INPUT_OFFSET, GELU_INPUT_INNER, GELU_INPUT_INNER_STRIDE,
                   GELU_INPUT_OUTER_STRIDE);
}

fn residual_row(row: u32) -> u32 {
  return row_start(row, RESIDUAL_TWO_LEVELS, RESIDUAL_OFFSET, RESIDUAL_INNER, RESIDUAL_INNER_STRIDE,
                   RESIDUAL_OUTER_STRIDE);
}
