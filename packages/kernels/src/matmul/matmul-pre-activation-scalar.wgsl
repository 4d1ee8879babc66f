// Second output of matmul, the value before the activation; for any offset, stride and extent.

@group(0) @binding(7) var<storage, read_write> pre_activation: array<f32>;

fn store_pre_activation(start: u32, valid: u32, value: vec4f) {
  pre_activation[start] = value.x;
  if (valid > 1u) {
    pre_activation[start + 1u] = value.y;
  }
  if (valid > 2u) {
    pre_activation[start + 2u] = value.z;
  }
  if (valid > 3u) {
    pre_activation[start + 3u] = value.w;
  }
}
