// Sum over the leading axis of x [COUNT, ROWS, COLUMNS]: with CHUNK_LENGTH terms a chunk,
//   out[chunk, r, c] = SCALE · Σ_n x[n, r, c],  n in chunk;  with ACCUMULATE, out += the same.
//
// Header: Element (f32 or vec4f; COLUMNS, strides and offsets count Elements), COUNT, ROWS, COLUMNS, CHUNKS,
// CHUNK_LENGTH, SCALE, ACCUMULATE, GRID_X, X_OFFSET, X_STRIDE (of the leading axis), X_ROW_STRIDE, OUT_* (row
// addressing; the rows of out are chunk-major).
//
// One invocation an output element: neighbours read neighbouring addresses, and the order of additions is
// fixed. Long sums run as two dispatches of this kernel, over chunks of about √COUNT terms and over the chunks.

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> out: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * GRID_X) * 64u + lane;
  if (i >= CHUNKS * ROWS * COLUMNS) {
    return;
  }
  let out_row = i / COLUMNS;
  let c = i % COLUMNS;
  let chunk = out_row / ROWS;
  let start = X_OFFSET + (out_row % ROWS) * X_ROW_STRIDE + c;
  let end = min((chunk + 1u) * CHUNK_LENGTH, COUNT);
  var sum = Element();
  for (var n = chunk * CHUNK_LENGTH; n < end; n++) {
    sum += x[start + n * X_STRIDE];
  }
  sum *= SCALE;
  let at = OUT_OFFSET + (out_row / OUT_INNER) * OUT_OUTER_STRIDE + (out_row % OUT_INNER) * OUT_INNER_STRIDE + c;
  if (ACCUMULATE) {
    out[at] += sum;
  } else {
    out[at] = sum;
  }
}
