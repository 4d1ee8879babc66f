// Operands of matmul where every row of every matrix starts and ends on a multiple of four elements: one load
// moves four. `start` is an element index; `valid`, the number of elements of the row that are left, is only
// needed by the scalar twin of this file.

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read> gelu_input: array<vec4f>;
@group(0) @binding(5) var<storage, read> row_scale: array<f32>;
@group(0) @binding(6) var<storage, read> residual: array<vec4f>;

fn load_a(start: u32, valid: u32) -> vec4f {
  return a[start / 4u];
}

fn load_a_one(at: u32) -> f32 {
  return a[at / 4u][at % 4u];
}

fn load_b(start: u32, valid: u32) -> vec4f {
  return b[start / 4u];
}

fn load_bias(start: u32, valid: u32) -> vec4f {
  return bias[start / 4u];
}

fn load_gelu_input(start: u32, valid: u32) -> vec4f {
  return gelu_input[start / 4u];
}

fn load_residual(start: u32, valid: u32) -> vec4f {
  return residual[start / 4u];
}

fn load_out(start: u32, valid: u32) -> vec4f {
  return out[start / 4u];
}

fn store_out(start: u32, valid: u32, value: vec4f) {
  out[start / 4u] = value;
}
