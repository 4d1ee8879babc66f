// out[r, c] = VALUE for rows at two levels of strides.
//
// Header: Element (f32 or vec4f; COLUMNS, strides and offsets count Elements), COUNT, COLUMNS, GRID_X, VALUE,
// OUT_* (row addressing). One invocation handles four Elements a workgroup's width apart.

@group(0) @binding(0) var<storage, read_write> out: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base = (group.x + group.y * GRID_X) * 256u + lane;
  for (var k = 0u; k < 4u; k++) {
    let i = base + k * 64u;
    if (i < COUNT) {
      let r = i / COLUMNS;
      let start = OUT_OFFSET + (r / OUT_INNER) * OUT_OUTER_STRIDE + (r % OUT_INNER) * OUT_INNER_STRIDE;
      out[start + i % COLUMNS] = Element(VALUE);
    }
  }
}
