// One channel as one element, for head dimensions, strides or offsets that are not multiples of four.

alias Lane = f32;
const LANE_WIDTH: u32 = 1u;

fn lane_dot(a: Lane, b: Lane) -> f32 {
  return a * b;
}
