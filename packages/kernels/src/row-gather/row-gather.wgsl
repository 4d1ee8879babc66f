// Rows by index, group by group: out[g, i] = x[g, indices[g, i]].
//
// Header: Element (f32 or vec4f; COLUMNS, strides and offsets count Elements), COUNT, COLUMNS, PICKS (indices a
// group), GRID_X, X_OFFSET, X_GROUP_STRIDE, X_ROW_STRIDE, OUT_* (row addressing), INDICES_OFFSET.
// Layout: x [groups, P, C] and out rows at two levels of strides; indices packed [groups, PICKS].
// One invocation handles four Elements a workgroup's width apart.

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base = (group.x + group.y * GRID_X) * 256u + lane;
  for (var k = 0u; k < 4u; k++) {
    let i = base + k * 64u;
    if (i < COUNT) {
      let r = i / COLUMNS;
      let c = i % COLUMNS;
      let source = X_OFFSET + (r / PICKS) * X_GROUP_STRIDE + indices[INDICES_OFFSET + r] * X_ROW_STRIDE + c;
      let to = OUT_OFFSET + (r / OUT_INNER) * OUT_OUTER_STRIDE + (r % OUT_INNER) * OUT_INNER_STRIDE + c;
      out[to] = x[source];
    }
  }
}
