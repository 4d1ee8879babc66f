// Backward of soft-label cross entropy with respect to the logits:
//   dLogits[b, k] = (softmax(z_b)_k · Σ_j targets[b, j] − targets[b, k]) · INVERSE_ROWS · gradientScale[0].
// Without HAS_SCALE the last factor is 1.
//
// Header: LANES, ROWS, COLUMNS, GRID_X, HAS_SCALE, INVERSE_ROWS, LOGITS_OFFSET, TARGETS_OFFSET, D_LOGITS_OFFSET,
// SCALE_OFFSET; workgroup-sum.wgsl or workgroup-sum-subgroups.wgsl, workgroup-max.wgsl.
// Layout and passes as in cross-entropy.wgsl; computing the softmax again is cheaper than keeping it.

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> targets: array<f32>;
@group(0) @binding(2) var<storage, read> gradient_scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_logits: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * GRID_X;
  if (row >= ROWS) {
    return;
  }
  let start = row * COLUMNS;
  var lane_max = logits[LOGITS_OFFSET + start];
  for (var k = lane; k < COLUMNS; k += LANES) {
    lane_max = max(lane_max, logits[LOGITS_OFFSET + start + k]);
  }
  let row_max = workgroup_max(lane_max, lane);

  var sums = vec3f();
  for (var k = lane; k < COLUMNS; k += LANES) {
    let term = exponential(logits[LOGITS_OFFSET + start + k] - row_max);
    sums += vec3f(term, targets[TARGETS_OFFSET + start + k], 0.0);
  }
  let totals = workgroup_sum3(sums, lane);

  var factor = INVERSE_ROWS;
  if (HAS_SCALE) {
    factor *= gradient_scale[SCALE_OFFSET];
  }
  for (var k = lane; k < COLUMNS; k += LANES) {
    let probability = exponential(logits[LOGITS_OFFSET + start + k] - row_max) / totals.x;
    d_logits[D_LOGITS_OFFSET + start + k] = (probability * totals.y - targets[TARGETS_OFFSET + start + k]) * factor;
  }
}
