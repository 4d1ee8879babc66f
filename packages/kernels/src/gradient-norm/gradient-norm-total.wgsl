// Second stage of the norm of all gradients: out = (√(sum of squares), number of non-finite elements).
//
// Header: PAIRS, OUT_OFFSET (elements).
// Layout: pairs (sum of squares, count) as gradient-norm.wgsl leaves them; out two f32.
// One workgroup: each invocation adds every 256th pair, then comes a tree. The order is fixed, so the result is
// the same bits at every run.

var<storage, read> pairs: array<vec2f>;
var<storage, read_write> out: array<f32>;

var<workgroup> partial: array<vec2f, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) invocation: u32) {
  var sum = vec2f(0.0);
  for (var i = invocation; i < PAIRS; i += 256u) {
    sum += pairs[i];
  }
  partial[invocation] = sum;
  for (var half = 128u; half > 0u; half = half / 2u) {
    workgroupBarrier();
    if (invocation < half) {
      partial[invocation] += partial[invocation + half];
    }
  }
  workgroupBarrier();
  if (invocation == 0u) {
    out[OUT_OFFSET] = sqrt(partial[0].x);
    out[OUT_OFFSET + 1u] = partial[0].y;
  }
}
