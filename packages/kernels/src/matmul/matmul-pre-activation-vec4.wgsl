// Second output of matmul, the value before the activation; four elements a store.

@group(0) @binding(7) var<storage, read_write> pre_activation: array<vec4f>;

fn store_pre_activation(start: u32, valid: u32, value: vec4f) {
  pre_activation[start / 4u] = value;
}
