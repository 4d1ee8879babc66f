// Second stage of the two-part loss: loss = (APPEARANCE_WEIGHT · a + (1 − APPEARANCE_WEIGHT) · m, a, m), where a and m
// are the mean squared errors of the two column halves, INVERSE_COUNT · Σ partials.
//
// Header: INVOCATIONS, PARTS, INVERSE_COUNT, APPEARANCE_WEIGHT, LOSS_OFFSET; workgroup-sum.wgsl.
// Layout: partials [2, PARTS] as squared-errors.wgsl leaves them. One workgroup.

var<storage, read> partials: array<f32>;
var<storage, read_write> loss: array<f32>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(local_invocation_index) invocation: u32) {
  var sums = vec3f();
  for (var i = invocation; i < PARTS; i += INVOCATIONS) {
    sums += vec3f(partials[i], partials[PARTS + i], 0.0);
  }
  let means = workgroup_sum3(sums, invocation) * INVERSE_COUNT;
  if (invocation == 0u) {
    loss[LOSS_OFFSET] = APPEARANCE_WEIGHT * means.x + (1.0 - APPEARANCE_WEIGHT) * means.y;
    loss[LOSS_OFFSET + 1u] = means.x;
    loss[LOSS_OFFSET + 2u] = means.y;
  }
}
