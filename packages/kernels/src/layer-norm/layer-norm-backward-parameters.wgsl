// Backward of layer norm with respect to its parameters, first of two stages: for each chunk of rows
//   partials[chunk, 0, c] = Σ_r dOut[r, c] · x̂[r, c]     (weight)
//   partials[chunk, 1, c] = Σ_r dOut[r, c]               (bias)
//
// Header: Element (f32 or vec4f; COLUMNS, strides and offsets of rows count Elements), ROWS, COLUMNS, CHUNK_ROWS,
// COLUMN_BLOCKS, GRID_X, GROUPS, DOUT_*, X_* (row addressing), MEAN_OFFSET, RSTD_OFFSET.
// Layout as in layer-norm-backward.wgsl, whose `correction` makes the saved means exact.
//
// One invocation an Element and chunk: neighbours read neighbouring addresses, no invocation waits for another,
// and the order of additions is fixed. Chunks have about √ROWS rows, so that both stages add equally many terms.

@group(0) @binding(0) var<storage, read> d_out: array<Element>;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> rstd: array<f32>;
@group(0) @binding(4) var<storage, read> correction: array<f32>;
@group(0) @binding(5) var<storage, read_write> partials: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = group.x + group.y * GRID_X;
  let chunk = index / COLUMN_BLOCKS;
  let c = (index % COLUMN_BLOCKS) * 64u + lane;
  if (index >= GROUPS || c >= COLUMNS) {
    return;
  }
  let end = min((chunk + 1u) * CHUNK_ROWS, ROWS);
  var d_weight = Element();
  var d_bias = Element();
  for (var row = chunk * CHUNK_ROWS; row < end; row++) {
    let d_out_start = DOUT_OFFSET + (row / DOUT_INNER) * DOUT_OUTER_STRIDE + (row % DOUT_INNER) * DOUT_INNER_STRIDE;
    let x_start = X_OFFSET + (row / X_INNER) * X_OUTER_STRIDE + (row % X_INNER) * X_INNER_STRIDE;
    let gradient = d_out[d_out_start + c];
    let centred = (x[x_start + c] - mean[MEAN_OFFSET + row]) - correction[row];
    d_weight += gradient * centred * rstd[RSTD_OFFSET + row];
    d_bias += gradient;
  }
  partials[chunk * 2u * COLUMNS + c] = d_weight;
  partials[(chunk * 2u + 1u) * COLUMNS + c] = d_bias;
}
