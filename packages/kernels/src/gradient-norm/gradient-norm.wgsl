// First stage of the norm of all gradients: sums of squares and counts of non-finite elements of one bank, one
// pair for each 4,096 elements. gradient-norm-total.wgsl adds the pairs up.
//
// Header: COUNT, GRADIENTS_OFFSET (elements), GRID_X, FIRST_PAIR (where this bank's pairs begin).
// Layout: gradients contiguous f32; pairs: (sum of squares of the finite elements, number of the others) as f32.
//
// Sums are short on purpose: an invocation adds 4 × 16 squares in four accumulators, then come trees, so that the
// rounding of ten million terms stays near 1e-7 with neither f64 nor compensated summation, which a WGSL compiler
// may reassociate away. NaN and infinity are found by their bits, since a compiler may assume there are none.

var<storage, read> gradients: array<f32>;
var<storage, read_write> pairs: array<vec2f>;

var<workgroup> partial: array<vec2f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let chunk = group.x + group.y * GRID_X;
  if (chunk * 4096u >= COUNT) {
    return;
  }
  var sums = vec4f(0.0);
  var bad = 0u;
  for (var k = 0u; k < 16u; k++) {
    var squares = vec4f(0.0);
    for (var j = 0u; j < 4u; j++) {
      let i = chunk * 4096u + (k * 4u + j) * 64u + invocation;
      if (i < COUNT) {
        let g = gradients[GRADIENTS_OFFSET + i];
        if ((bitcast<u32>(g) & 0x7f800000u) == 0x7f800000u) {
          bad += 1u;
        } else {
          squares[j] = g * g;
        }
      }
    }
    sums += squares;
  }
  partial[invocation] = vec2f((sums.x + sums.y) + (sums.z + sums.w), f32(bad));
  for (var half = 32u; half > 0u; half = half / 2u) {
    workgroupBarrier();
    if (invocation < half) {
      partial[invocation] += partial[invocation + half];
    }
  }
  workgroupBarrier();
  if (invocation == 0u) {
    pairs[FIRST_PAIR + chunk] = partial[0];
  }
}
