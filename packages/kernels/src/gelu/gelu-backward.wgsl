// Backward of GELU: dx = dy · (Φ(x) + x · φ(x)); with ACCUMULATE, dx += the same.
//
// Header: COUNT, X_OFFSET, DY_OFFSET, DX_OFFSET (elements), GRID_X, ACCUMULATE; math/exponential.wgsl, gelu-function.wgsl.
// Layout and work split as in gelu.wgsl.

var<storage, read> x: array<f32>;
var<storage, read> dy: array<f32>;
var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base = (group.x + group.y * GRID_X) * 256u + lane;
  for (var k = 0u; k < 4u; k++) {
    let i = base + k * 64u;
    if (i < COUNT) {
      let gradient = dy[DY_OFFSET + i] * gelu_derivative(x[X_OFFSET + i]);
      if (ACCUMULATE) {
        dx[DX_OFFSET + i] += gradient;
      } else {
        dx[DX_OFFSET + i] = gradient;
      }
    }
  }
}
