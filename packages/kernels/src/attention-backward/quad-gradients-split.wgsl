// gradients-split.wgsl for kernels that store four channels at a time, whatever a lane is.

@group(0) @binding(0) var<storage, read_write> dk: array<Lane>;
@group(0) @binding(1) var<storage, read_write> dv: array<Lane>;

fn store_dk_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&dk, row, quad, value);
}

fn store_dv_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&dv, row, quad, value);
}
