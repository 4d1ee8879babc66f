// Sum over the leading axis of x [COUNT, ROWS, COLUMNS]: with CHUNK_LENGTH terms a chunk,
//   out[chunk, r, c] = SCALE · Σ_n x[n, r, c],  n in chunk;  unless ACCUMULATE is 0, out += the same.
//
// Header: Element (f32 or vec4f; COLUMNS, strides and offsets count Elements), COUNT, ROWS, COLUMNS,
// CHUNK_LENGTH, SCALE, ACCUMULATE, GRID_X, X_* (addressing of the leading axis), X_ROW_STRIDE, OUT_* (row addressing;
// the rows of out are chunk-major); row-start.wgsl. The leading axis may lie at two strides: terms that are one stride
// apart are added up by themselves, since finding each of them anew took a quarter to a half longer on a software
// driver.
//
// One invocation an output element: neighbours read neighbouring addresses, and the order of additions is
// fixed. Long sums run as two dispatches of this kernel, over chunks of the terms and over the chunks.

#if x_f16
var<storage, read> x: array<Half>;
#else
var<storage, read> x: array<Element>;
#end
var<storage, read_write> out: array<Element>;

// Four sums side by side, so that loads do not wait for additions, and the chain of roundings is shorter.
fn sum_of_run(first: u32, count: u32) -> Element {
  let stride = X_INNER_STRIDE;
  var sum0 = Element();
  var sum1 = Element();
  var sum2 = Element();
  var sum3 = Element();
  var at = first;
  var k = 0u;
  for (; k + 4u <= count; k += 4u) {
    sum0 += Element(x[at]);
    sum1 += Element(x[at + stride]);
    sum2 += Element(x[at + 2u * stride]);
    sum3 += Element(x[at + 3u * stride]);
    at += 4u * stride;
  }
  for (; k < count; k++) {
    sum0 += Element(x[at]);
    at += stride;
  }
  return (sum0 + sum1) + (sum2 + sum3);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let i = (group.x + group.y * GRID_X) * 64u + invocation;
  if (i >= ROWS * COLUMNS) {
    return;
  }
  let chunk = group.z;
  let row = i / COLUMNS;
  let c = i - row * COLUMNS;
  let place = row * X_ROW_STRIDE + c;
  let end = min((chunk + 1u) * CHUNK_LENGTH, COUNT);
  var sum = Element();
  var n = chunk * CHUNK_LENGTH;
  var inner = n % X_INNER;
  while (n < end) {
    let first = row_start(n, X_OFFSET, X_INNER, X_INVERSE, X_INNER_STRIDE, X_OUTER_STRIDE) + place;
    let count = min(end - n, X_INNER - inner);
    sum += sum_of_run(first, count);
    n += count;
    inner = 0u;
  }
  sum *= SCALE;
  let at = row_start(chunk * ROWS + row, OUT_OFFSET, OUT_INNER, OUT_INVERSE, OUT_INNER_STRIDE, OUT_OUTER_STRIDE) + c;
  if (ACCUMULATE != 0u) {
    out[at] += sum;
  } else {
    out[at] = sum;
  }
}
