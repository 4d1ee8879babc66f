// The gradient that a backward pass begins with, under a dynamic loss scale: out = FACTOR · S; where the loss is not
// finite, out is the loss itself.
//
// A loss that overflowed thus reaches the gradients, whose norm is looked at before they are used, and no other place
// need look at losses. It is moved by its bits, since a compiler may assume that there is neither NaN nor infinity.
//
// Header: FACTOR, *_OFFSET (elements). Layout: loss one f32, by its bits; state f32, S its first element; out one f32.

var<storage, read> loss: array<u32>;
var<storage, read> state: array<f32>;
var<storage, read_write> out: array<u32>;

@compute @workgroup_size(1)
fn main() {
  let bits = loss[LOSS_OFFSET];
  let is_finite = (bits & 0x7f800000u) != 0x7f800000u;
  out[OUT_OFFSET] = select(bits, bitcast<u32>(FACTOR * state[STATE_OFFSET]), is_finite);
}
