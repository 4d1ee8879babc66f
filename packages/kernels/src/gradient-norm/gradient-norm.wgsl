// The norm of all gradients by sums of chunks of 4,096 terms, and sums of those until there is one chunk.
//
// The first stage (ARE_SUMS 0) has elements of a bank for terms: of a chunk it gives the sum of the squares of the finite
// ones, and OUT_PLANE behind it the number of the others. Later stages have two planes of terms, COUNT apart: workgroups
// whose z is 0 add up sums of squares, those whose z is 1 numbers. With IS_LAST the sum of squares becomes its root.
//
// Header: COUNT (terms of a plane), TERMS_OFFSET, OUT_OFFSET (place of the first sum), OUT_PLANE (all in elements), ARE_SUMS,
// IS_LAST, GRID_X.
//
// Sums are short on purpose: an invocation adds 4 × 16 terms in four accumulators, then come trees, so that the
// rounding of ten million terms stays near 1e-7 with neither f64 nor compensated summation, which a WGSL compiler
// may reassociate away. The order is fixed, so the result is the same bits at every run. NaN and infinity are found by
// their bits, since a compiler may assume there are none.

var<storage, read> terms: array<f32>;
var<storage, read_write> out: array<f32>;

var<workgroup> partial: array<vec2f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let chunk = group.x + group.y * GRID_X;
  if (chunk * 4096u >= COUNT) {
    return;
  }
  let are_elements = ARE_SUMS == 0u;
  let first = TERMS_OFFSET + group.z * COUNT;
  var sums = vec4f(0.0);
  var bad = 0u;
  for (var k = 0u; k < 16u; k++) {
    var addends = vec4f(0.0);
    for (var j = 0u; j < 4u; j++) {
      let i = chunk * 4096u + (k * 4u + j) * 64u + invocation;
      if (i < COUNT) {
        let g = terms[first + i];
        if (are_elements && (bitcast<u32>(g) & 0x7f800000u) == 0x7f800000u) {
          bad += 1u;
        } else {
          addends[j] = g * select(1.0, g, are_elements);
        }
      }
    }
    sums += addends;
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
    let total = partial[0];
    let at = OUT_OFFSET + chunk;
    if (are_elements) {
      out[at] = total.x;
      out[at + OUT_PLANE] = total.y;
    } else {
      out[at + group.z * OUT_PLANE] = select(total.x, sqrt(total.x), IS_LAST == 1u && group.z == 0u);
    }
  }
}
