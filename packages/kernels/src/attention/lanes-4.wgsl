// Four neighbouring channels as one element. In front of the attention kernels when the head dimension, every
// stride and every offset are multiples of four; lanes-1.wgsl stands in otherwise.

alias Lane = vec4f;
// The same channels of four rows.
alias Quad = mat4x4f;

fn lane_dot(a: Lane, b: Lane) -> f32 {
  return dot(a, b);
}

fn quad(a: Lane, b: Lane, c: Lane, d: Lane) -> Quad {
  return mat4x4f(a, b, c, d);
}

// x · each of the four rows.
fn quad_dots(x: Lane, rows: Quad) -> vec4f {
  return x * rows;
}

// The sum of the four rows, weighted.
fn quad_sum(rows: Quad, weights: vec4f) -> Lane {
  return rows * weights;
}
