// Backward of layer norm with respect to its parameters: for each chunk of rows
//   d_weight[chunk, c] = Σ_r dOut[r, c] · x̂[r, c]
//   d_bias[chunk, c]   = Σ_r dOut[r, c]
// With one chunk these are the gradients themselves (ACCUMULATE adds them to what is there); the sums of several
// are added up by layer-norm-sum-partials.wgsl.
//
// Header: Element (f32 or vec4f; COLUMNS, strides and offsets of rows and of the results count Elements), ROWS,
// COLUMNS, CHUNK_ROWS, COLUMN_BLOCKS, GRID_X, GROUPS, COLUMN_LANES, ROW_LANES, RUN_ROWS, ACCUMULATE,
// D_WEIGHT_OFFSET, D_BIAS_OFFSET, DOUT_*, X_* (row addressing), MEAN_OFFSET, RSTD_OFFSET.
// Layout as in layer-norm-backward.wgsl, whose `correction` makes the saved means exact.
//
// A workgroup owns COLUMN_LANES neighbouring Elements of a chunk; ROW_LANES invocations share the rows of each, every
// ROW_LANES-th row, and the first of them adds their sums up, always in the same order. A software driver, which has
// no use for many invocations, takes one. Runs of RUN_ROWS rows, about the root of all, are summed by themselves, so
// that the rounding error grows with the length of a run and not with the number of rows.

@group(0) @binding(0) var<storage, read> d_out: array<Element>;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> rstd: array<f32>;
@group(0) @binding(4) var<storage, read> correction: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_weight: array<Element>;
@group(0) @binding(6) var<storage, read_write> d_bias: array<Element>;

var<workgroup> weight_sums: array<Element, COLUMN_LANES * ROW_LANES>;
var<workgroup> bias_sums: array<Element, COLUMN_LANES * ROW_LANES>;

@compute @workgroup_size(COLUMN_LANES, ROW_LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
  @builtin(local_invocation_index) slot: u32,
) {
  let index = group.x + group.y * GRID_X;
  if (index >= GROUPS) {
    return;
  }
  let chunk = index / COLUMN_BLOCKS;
  let c = (index % COLUMN_BLOCKS) * COLUMN_LANES + lane.x;
  let end = min((chunk + 1u) * CHUNK_ROWS, ROWS);
  var weight_sum = Element();
  var bias_sum = Element();
  if (c < COLUMNS) {
    for (var run = chunk * CHUNK_ROWS + lane.y; run < end; run += RUN_ROWS * ROW_LANES) {
      var weight_run = Element();
      var bias_run = Element();
      let run_end = min(run + RUN_ROWS * ROW_LANES, end);
      for (var row = run; row < run_end; row += ROW_LANES) {
        let d_out_start =
          DOUT_OFFSET + (row / DOUT_INNER) * DOUT_OUTER_STRIDE + (row % DOUT_INNER) * DOUT_INNER_STRIDE;
        let x_start = X_OFFSET + (row / X_INNER) * X_OUTER_STRIDE + (row % X_INNER) * X_INNER_STRIDE;
        let gradient = d_out[d_out_start + c];
        let centred = (x[x_start + c] - mean[MEAN_OFFSET + row]) - correction[row];
        weight_run += gradient * centred * rstd[RSTD_OFFSET + row];
        bias_run += gradient;
      }
      weight_sum += weight_run;
      bias_sum += bias_run;
    }
  }
  if (ROW_LANES > 1u) {
    weight_sums[slot] = weight_sum;
    bias_sums[slot] = bias_sum;
    workgroupBarrier();
    if (lane.y == 0u) {
      for (var other = 1u; other < ROW_LANES; other++) {
        weight_sum += weight_sums[other * COLUMN_LANES + lane.x];
        bias_sum += bias_sums[other * COLUMN_LANES + lane.x];
      }
    }
  }
  if (lane.y == 0u && c < COLUMNS) {
    let weight_at = D_WEIGHT_OFFSET + chunk * COLUMNS + c;
    let bias_at = D_BIAS_OFFSET + chunk * COLUMNS + c;
    if (ACCUMULATE) {
      d_weight[weight_at] += weight_sum;
      d_bias[bias_at] += bias_sum;
    } else {
      d_weight[weight_at] = weight_sum;
      d_bias[bias_at] = bias_sum;
    }
  }
}
