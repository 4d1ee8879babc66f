// One channel as one element, for head dimensions, strides or offsets that are not multiples of four.

alias Lane = f32;
// The same channel of four rows.
alias Quad = vec4f;

fn lane_dot(a: Lane, b: Lane) -> f32 {
  return a * b;
}

fn quad(a: Lane, b: Lane, c: Lane, d: Lane) -> Quad {
  return vec4f(a, b, c, d);
}

// x · each of the four rows.
fn quad_dots(x: Lane, rows: Quad) -> vec4f {
  return x * rows;
}

// The sum of the four rows, weighted.
fn quad_sum(rows: Quad, weights: vec4f) -> Lane {
  return dot(rows, weights);
}
