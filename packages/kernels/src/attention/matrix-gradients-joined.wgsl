// gradients-joined.wgsl for the kernels on matrix units, four channels at a time. Binding 1 is unused.

@group(0) @binding(0) var<storage, read_write> dkv: array<Lane>;

fn store_dk_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&dkv, row, quad, value);
}

fn store_dv_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&dkv, row, quad, value);
}
