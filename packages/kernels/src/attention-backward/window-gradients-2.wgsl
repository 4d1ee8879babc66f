// dq in a buffer of its own, dk and dv as slices of another one.

@group(0) @binding(6) var<storage, read_write> dq: array<Lane>;
@group(0) @binding(7) var<storage, read_write> dkv: array<Lane>;

fn store_dq_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&dq, row, quad, value);
}

fn store_dk_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&dkv, row, quad, value);
}

fn store_dv_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&dkv, row, quad, value);
}
