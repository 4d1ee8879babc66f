// Backward of the mean over rows: dx[b, l, c] = SCALE · dOut[b, c], SCALE = 1 / L; with ACCUMULATE, dx += the same.
//
// Header: Element (f32 or vec4f; COLUMNS, strides and offsets count Elements), COUNT, COLUMNS, LENGTH (rows of
// dx a row of dOut), GRID_X, SCALE, ACCUMULATE, DOUT_* and DX_* (row addressing).
// One invocation handles four Elements a workgroup's width apart.

@group(0) @binding(0) var<storage, read> d_out: array<Element>;
@group(0) @binding(1) var<storage, read_write> dx: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base = (group.x + group.y * GRID_X) * 256u + lane;
  for (var k = 0u; k < 4u; k++) {
    let i = base + k * 64u;
    if (i < COUNT) {
      let r = i / COLUMNS;
      let c = i % COLUMNS;
      let b = r / LENGTH;
      let from_row = DOUT_OFFSET + (b / DOUT_INNER) * DOUT_OUTER_STRIDE + (b % DOUT_INNER) * DOUT_INNER_STRIDE;
      let to_row = DX_OFFSET + (r / DX_INNER) * DX_OUTER_STRIDE + (r % DX_INNER) * DX_INNER_STRIDE;
      let value = SCALE * d_out[from_row + c];
      if (ACCUMULATE) {
        dx[to_row + c] += value;
      } else {
        dx[to_row + c] = value;
      }
    }
  }
}
