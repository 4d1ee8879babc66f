// dq, dk and dv as slices of one buffer, which WebGPU lets a dispatch bind for writing only once.

@group(0) @binding(6) var<storage, read_write> gradients: array<Lane>;

fn store_dq_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&gradients, row, quad, value);
}

fn store_dk_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&gradients, row, quad, value);
}

fn store_dv_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&gradients, row, quad, value);
}
