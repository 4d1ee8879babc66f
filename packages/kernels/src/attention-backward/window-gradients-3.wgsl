// dq, dk and dv in buffers of their own.

@group(0) @binding(6) var<storage, read_write> dq: array<Lane>;
@group(0) @binding(7) var<storage, read_write> dk: array<Lane>;
@group(0) @binding(8) var<storage, read_write> dv: array<Lane>;

fn store_dq_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&dq, row, quad, value);
}

fn store_dk_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&dk, row, quad, value);
}

fn store_dv_quad(row: u32, quad: u32, value: vec4f) {
  store_quad(&dv, row, quad, value);
}
