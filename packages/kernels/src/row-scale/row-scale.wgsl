// out[r, c] = residual[r, c] + scale[r / ROWS_PER_SCALE] · x[r, c]; without HAS_RESIDUAL the first term is
// missing; with ACCUMULATE, out += the same.  (Drop path: scale is 0 or 1 / keep probability for each path.)
//
// Header: Element (f32 or vec4f; COLUMNS, strides and offsets count Elements), COUNT, COLUMNS, GRID_X,
// ROWS_PER_SCALE, HAS_RESIDUAL, X_IN_PLACE, ACCUMULATE, X_*, RESIDUAL_*, OUT_* (row addressing), SCALE_OFFSET.
// Layout: rows at two levels of strides. With X_IN_PLACE, x is out itself, read through that binding.
// Bindings that a case does not use hold some other array.
// One invocation handles four Elements a workgroup's width apart.

@group(0) @binding(0) var<storage, read_write> out: array<Element>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<Element>;
@group(0) @binding(3) var<storage, read> residual: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base = (group.x + group.y * GRID_X) * 256u + lane;
  for (var k = 0u; k < 4u; k++) {
    let i = base + k * 64u;
    if (i < COUNT) {
      let r = i / COLUMNS;
      let c = i % COLUMNS;
      let to = OUT_OFFSET + (r / OUT_INNER) * OUT_OUTER_STRIDE + (r % OUT_INNER) * OUT_INNER_STRIDE + c;
      var value = Element();
      if (X_IN_PLACE) {
        value = out[to];
      } else {
        value = x[X_OFFSET + (r / X_INNER) * X_OUTER_STRIDE + (r % X_INNER) * X_INNER_STRIDE + c];
      }
      value *= scale[SCALE_OFFSET + r / ROWS_PER_SCALE];
      if (HAS_RESIDUAL) {
        value += residual[RESIDUAL_OFFSET + (r / RESIDUAL_INNER) * RESIDUAL_OUTER_STRIDE +
            (r % RESIDUAL_INNER) * RESIDUAL_INNER_STRIDE + c];
      }
      if (ACCUMULATE) {
        out[to] += value;
      } else {
        out[to] = value;
      }
    }
  }
}
