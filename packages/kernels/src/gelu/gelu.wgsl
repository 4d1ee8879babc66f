// GELU, exact (erf) form: y = x · Φ(x).  Hendrycks & Gimpel, 2016.
//
// Header: COUNT (elements), X_OFFSET, Y_OFFSET (elements), GRID_X (workgroups along x); math/exponential.wgsl, gelu-function.wgsl.
// Layout: x and y are contiguous f32. One invocation handles four elements a workgroup's width apart, so that
// neighbouring invocations touch neighbouring addresses.

var<storage, read> x: array<f32>;
var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base = (group.x + group.y * GRID_X) * 256u + lane;
  for (var k = 0u; k < 4u; k++) {
    let i = base + k * 64u;
    if (i < COUNT) {
      y[Y_OFFSET + i] = gelu(x[X_OFFSET + i]);
    }
  }
}
