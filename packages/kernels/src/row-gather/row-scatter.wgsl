// Rows to given places, group by group: out[g, indices[g, i]] = x[g, i]; with ACCUMULATE, out += the same.
// The indices of a group differ from one another, so that no two invocations write to one place.
//
// Header: Element (f32 or vec4f; COLUMNS, strides and offsets count Elements), COUNT, COLUMNS, PICKS (indices a
// group), GRID_X, ACCUMULATE, X_* (row addressing), OUT_OFFSET, OUT_GROUP_STRIDE, OUT_ROW_STRIDE, INDICES_OFFSET.
// Layout: x rows at two levels of strides; out [groups, P, C]; indices packed [groups, PICKS].
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
      let source = X_OFFSET + (r / X_INNER) * X_OUTER_STRIDE + (r % X_INNER) * X_INNER_STRIDE + c;
      let to = OUT_OFFSET + (r / PICKS) * OUT_GROUP_STRIDE + indices[INDICES_OFFSET + r] * OUT_ROW_STRIDE + c;
      if (ACCUMULATE) {
        out[to] += x[source];
      } else {
        out[to] = x[source];
      }
    }
  }
}
