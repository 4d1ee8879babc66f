// Four neighbouring channels as one element. In front of the attention kernels when the head dimension, every
// stride and every offset are multiples of four; lanes-1.wgsl stands in otherwise.

alias Lane = vec4f;
const LANE_WIDTH: u32 = 4u;

fn lane_dot(a: Lane, b: Lane) -> f32 {
  return dot(a, b);
}
