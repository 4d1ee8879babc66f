// Where a row begins whose rows lie at two levels of strides: the data that `rowData` makes. To be called once an
// invocation, and not for every element: it may divide by numbers that are data.

fn row_start(row: u32, offset: u32, inner: u32, inner_stride: u32, outer_stride: u32) -> u32 {
  // Rows at one stride, which most arrays have, need no division: software drivers divide one lane after another.
  if (row < inner) {
    return offset + row * inner_stride;
  }
  let outer = row / inner;
  return offset + outer * outer_stride + (row - outer * inner) * inner_stride;
}
