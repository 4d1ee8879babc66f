// Matmul without a second output: no eighth binding, and nothing to keep.

fn store_pre_activation(start: u32, valid: u32, value: vec4f) {}
