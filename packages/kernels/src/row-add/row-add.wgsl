// out[r, c] = a[r, c] + table[indices[r], c]; without HAS_TABLE, out = a; with ACCUMULATE, out += the same.
//
// Header: Element (f32 or vec4f; COLUMNS, strides and offsets count Elements), COUNT, COLUMNS, GRID_X, HAS_TABLE,
// A_IN_OUT, ACCUMULATE, A_* and OUT_* and TABLE_* (row addressing), INDICES_OFFSET.
// Layout: all are rows at two levels of strides; a stride of 0 broadcasts. With A_IN_OUT, a lies in the buffer of
// out and is read through that binding. Bindings that a case does not use hold some other array.
// One invocation handles four Elements a workgroup's width apart.

@group(0) @binding(0) var<storage, read_write> out: array<Element>;
@group(0) @binding(1) var<storage, read> a: array<Element>;
@group(0) @binding(2) var<storage, read> table: array<Element>;
@group(0) @binding(3) var<storage, read> indices: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base = (group.x + group.y * GRID_X) * 256u + lane;
  for (var k = 0u; k < 4u; k++) {
    let i = base + k * 64u;
    if (i < COUNT) {
      let r = i / COLUMNS;
      let c = i % COLUMNS;
      let source = A_OFFSET + (r / A_INNER) * A_OUTER_STRIDE + (r % A_INNER) * A_INNER_STRIDE + c;
      let to = OUT_OFFSET + (r / OUT_INNER) * OUT_OUTER_STRIDE + (r % OUT_INNER) * OUT_INNER_STRIDE + c;
      var value = Element();
      if (A_IN_OUT) {
        value = out[source];
      } else {
        value = a[source];
      }
      if (HAS_TABLE) {
        let t = indices[INDICES_OFFSET + r];
        value += table[TABLE_OFFSET + (t / TABLE_INNER) * TABLE_OUTER_STRIDE + (t % TABLE_INNER) * TABLE_INNER_STRIDE + c];
      }
      if (ACCUMULATE) {
        out[to] += value;
      } else {
        out[to] = value;
      }
    }
  }
}
