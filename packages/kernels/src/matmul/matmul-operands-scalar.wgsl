// Operands of matmul for any offset, stride and extent: element by element, with zeros past the end of a row.
// The twin of matmul-operands-vec4.wgsl.

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> gelu_input: array<f32>;
@group(0) @binding(5) var<storage, read> row_scale: array<f32>;
@group(0) @binding(6) var<storage, read> residual: array<f32>;

// The positions of up to four elements, all inside the row, so that no load needs a branch.
fn inside(start: u32, valid: u32) -> vec4u {
  let last = max(valid, 1u) - 1u;
  return start + min(vec4u(0u, 1u, 2u, 3u), vec4u(last));
}

fn mask(valid: u32, value: vec4f) -> vec4f {
  return select(vec4f(0.0), value, vec4u(0u, 1u, 2u, 3u) < vec4u(valid));
}

fn load_a(start: u32, valid: u32) -> vec4f {
  let at = inside(start, valid);
  return mask(valid, vec4f(a[at.x], a[at.y], a[at.z], a[at.w]));
}

fn load_a_one(at: u32) -> f32 {
  return a[at];
}

fn load_b(start: u32, valid: u32) -> vec4f {
  let at = inside(start, valid);
  return mask(valid, vec4f(b[at.x], b[at.y], b[at.z], b[at.w]));
}

fn load_bias(start: u32, valid: u32) -> vec4f {
  let at = inside(start, valid);
  return vec4f(bias[at.x], bias[at.y], bias[at.z], bias[at.w]);
}

fn load_gelu_input(start: u32, valid: u32) -> vec4f {
  let at = inside(start, valid);
  return vec4f(gelu_input[at.x], gelu_input[at.y], gelu_input[at.z], gelu_input[at.w]);
}

fn load_residual(start: u32, valid: u32) -> vec4f {
  let at = inside(start, valid);
  return vec4f(residual[at.x], residual[at.y], residual[at.z], residual[at.w]);
}

fn load_out(start: u32, valid: u32) -> vec4f {
  let at = inside(start, valid);
  return vec4f(out[at.x], out[at.y], out[at.z], out[at.w]);
}

fn store_out(start: u32, valid: u32, value: vec4f) {
  out[start] = value.x;
  if (valid > 1u) {
    out[start + 1u] = value.y;
  }
  if (valid > 2u) {
    out[start + 2u] = value.z;
  }
  if (valid > 3u) {
    out[start + 3u] = value.w;
  }
}
