// Backward of soft-label cross entropy with respect to the logits:
//   dLogits[b, k] = (softmax(z_b)_k · Σ_j targets[b, j] − targets[b, k]) · INVERSE_ROWS · gradientScale[0].
// Without gradient_scale the last factor is 1.
//
// Header: INVOCATIONS, ROWS, COLUMNS, GRID_X, INVERSE_ROWS, LOGITS_OFFSET, TARGETS_OFFSET, D_LOGITS_OFFSET,
// SCALE_OFFSET; workgroup-sum.wgsl, workgroup-max.wgsl.
// Layout and passes as in cross-entropy.wgsl; computing the softmax again is cheaper than keeping it.

var<storage, read> logits: array<f32>;
var<storage, read> targets: array<f32>;
#if gradient_scale
var<storage, read> gradient_scale: array<f32>;
#end
var<storage, read_write> d_logits: array<f32>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let row = group.x + group.y * GRID_X;
  if (row >= ROWS) {
    return;
  }
  let start = row * COLUMNS;
  var own_max = logits[LOGITS_OFFSET + start];
  for (var k = invocation; k < COLUMNS; k += INVOCATIONS) {
    own_max = max(own_max, logits[LOGITS_OFFSET + start + k]);
  }
  let row_max = workgroup_max(own_max, invocation);

  var sums = vec3f();
  for (var k = invocation; k < COLUMNS; k += INVOCATIONS) {
    let term = exponential(logits[LOGITS_OFFSET + start + k] - row_max);
    sums += vec3f(term, targets[TARGETS_OFFSET + start + k], 0.0);
  }
  let totals = workgroup_sum3(sums, invocation);

  var factor = INVERSE_ROWS;
#if gradient_scale
  factor *= gradient_scale[SCALE_OFFSET];
#end
  for (var k = invocation; k < COLUMNS; k += INVOCATIONS) {
    let probability = exponential(logits[LOGITS_OFFSET + start + k] - row_max) / totals.x;
    d_logits[D_LOGITS_OFFSET + start + k] = (probability * totals.y - targets[TARGETS_OFFSET + start + k]) * factor;
  }
}
