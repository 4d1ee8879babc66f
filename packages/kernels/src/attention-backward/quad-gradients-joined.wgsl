// gradients-joined.wgsl for kernels that store four channels at a time, whatever a lane is. Binding 1 is unused.

@group(0) @binding(0) var<storage, read_write> dkv: array<Lane>;

fn store_dk_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&dkv, row, quad, value);
}

fn store_dv_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&dkv, row, quad, value);
}
