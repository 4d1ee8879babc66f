// Where a row begins whose rows lie at two levels of strides: the data that `rowData` makes. To be called once an
// invocation, and not for every element.

// n / d for any two u32 but d = 0, by division of f32: software drivers divide whole numbers one lane at a time.
fn quotient(n: u32, d: u32) -> u32 {
  let divisor = f32(d);
  let near = u32(f32(n) / divisor);
  let left = bitcast<i32>(n - near * d);
  let q = near + bitcast<u32>(i32(floor(f32(left) / divisor)));
  // Each division may be off by its rounding.
  let rest = bitcast<i32>(n - q * d);
  return select(select(q, q + 1u, rest >= bitcast<i32>(d)), q - 1u, rest < 0);
}

fn row_start(row: u32, offset: u32, inner: u32, inner_stride: u32, outer_stride: u32) -> u32 {
  let outer = quotient(row, inner);
  return offset + outer * outer_stride + (row - outer * inner) * inner_stride;
}
