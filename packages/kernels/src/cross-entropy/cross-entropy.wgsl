// Soft-label cross entropy, row by row: row_loss[b] = Σ_k targets[b, k] · (log Σ_j exp(z_j − m) − (z_k − m)),
// m = max_j z_j, and probabilities[b, k] = softmax(z)_k.
//
// Header: INVOCATIONS, ROWS, COLUMNS, GRID_X, LOGITS_OFFSET, TARGETS_OFFSET, PROBABILITIES_OFFSET;
// workgroup-sum.wgsl, workgroup-max.wgsl.
// Layout: packed rows. One workgroup a row, three short passes over it. Taking the maximum out first keeps
// every exponential in (0, 1]; the logarithm is taken once, so that a target of 0 on a hopeless class adds 0.

var<storage, read> logits: array<f32>;
var<storage, read> targets: array<f32>;
var<storage, read_write> row_loss: array<f32>;
var<storage, read_write> probabilities: array<f32>;

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

  var exponentials = 0.0;
  for (var k = invocation; k < COLUMNS; k += INVOCATIONS) {
    exponentials += exponential(logits[LOGITS_OFFSET + start + k] - row_max);
  }
  let total = workgroup_sum(exponentials, invocation);
  let log_total = log(total);

  var loss = 0.0;
  for (var k = invocation; k < COLUMNS; k += INVOCATIONS) {
    let shifted = logits[LOGITS_OFFSET + start + k] - row_max;
    loss += targets[TARGETS_OFFSET + start + k] * (log_total - shifted);
    probabilities[PROBABILITIES_OFFSET + start + k] = exponential(shifted) / total;
  }
  let sum = workgroup_sum(loss, invocation);
  if (invocation == 0u) {
    row_loss[row] = sum;
  }
}
