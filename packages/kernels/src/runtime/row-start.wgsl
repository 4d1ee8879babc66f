// Where a row of a matrix inside a strided array starts, in elements: see RowLayout. Put in front of kernels that take
// the rows of an array X by X_OFFSET, X_INNER, X_INVERSE, X_INNER_STRIDE and X_OUTER_STRIDE.
//
// X_INVERSE is 1 / X_INNER, or 0 where one stride reaches every row: a product instead of a division, which GPUs do
// not have for whole numbers. Half a step of distance to the next whole number makes the quotient exact for rows below
// 2²² in spite of rounding; the host refuses more.

fn row_start(row: u32, offset: u32, inner: u32, inverse: f32, inner_stride: u32, outer_stride: u32) -> u32 {
  let outer = u32(i32((f32(i32(row)) + 0.5) * inverse));
  return offset + outer * outer_stride + (row - outer * inner) * inner_stride;
}
