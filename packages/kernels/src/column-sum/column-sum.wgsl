// Sums over rows: out[s, c] = Σ_r x[r, c] over the rows r of part s (all rows when there is one part).
//
// One invocation owns one column (or four, with vec4 loads), neighbouring invocations neighbouring columns, so
// that a workgroup reads whole lines. Many rows are cut into parts of ROWS_PER_PART, one workgroup row each;
// the partial sums are summed by the same kernel. The order of additions is fixed by the shape.
// Four sums are carried side by side: it shortens the chain of dependent additions and its rounding error.
//
// Header: `Element` (f32 or vec4f), ROWS, COLUMNS (in Elements), ROWS_PER_PART, X_OFFSET, X_INNER,
// X_INVERSE, X_INNER_STRIDE, X_OUTER_STRIDE, OUT_OFFSET (in Elements), ADD_TO_OUT (0 or 1), INVOCATIONS; row-start.wgsl.

var<storage, read> x: array<Element>;
var<storage, read_write> out: array<Element>;

fn x_at(row: u32, column: u32) -> Element {
  return x[row_start(row, X_OFFSET, X_INNER, X_INVERSE, X_INNER_STRIDE, X_OUTER_STRIDE) + column];
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let column = group.x * INVOCATIONS + invocation;
  if (column >= COLUMNS) {
    return;
  }
  var row = group.y * ROWS_PER_PART;
  let end = min(row + ROWS_PER_PART, ROWS);
  var sum0 = Element();
  var sum1 = Element();
  var sum2 = Element();
  var sum3 = Element();
  for (; row + 4u <= end; row += 4u) {
    sum0 += x_at(row, column);
    sum1 += x_at(row + 1u, column);
    sum2 += x_at(row + 2u, column);
    sum3 += x_at(row + 3u, column);
  }
  for (; row < end; row++) {
    sum0 += x_at(row, column);
  }
  let sum = (sum0 + sum1) + (sum2 + sum3);
  let at = OUT_OFFSET + group.y * COLUMNS + column;
  if (ADD_TO_OUT != 0u) {
    out[at] += sum;
  } else {
    out[at] = sum;
  }
}
