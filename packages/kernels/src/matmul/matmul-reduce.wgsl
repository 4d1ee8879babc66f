// Second stage of a product whose K was split: adds the partial products, always in the same order, and applies
// the epilogue. A holds the partial products, contiguous [groups, SPLITS, M, N]; B, where there are row sums, their
// parts, [SPLITS, M].
//
// One invocation owns four neighbouring elements. Header: M, N, SPLITS, ROWS (groups · M), COLUMN_BLOCKS
// (ceil(N / 4)), GRID_X; matmul-operands.wgsl and matmul-epilogue.wgsl.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let index = (group.x + group.y * GRID_X) * 64u + invocation;
  let row = index / COLUMN_BLOCKS;
  let column = index % COLUMN_BLOCKS * 4u;
  if (row < ROWS) {
    let partial = row / M * SPLITS * M + row % M;
    var sum = vec4f(0.0);
    for (var split = 0u; split < SPLITS; split++) {
      sum += load_a(a_row(partial + split * M) + column, N - column);
    }
    finish(row, column, sum);
#if row_sums
    if (column == 0u && row % 4u == 0u) {
      var row_sum = vec4f(0.0);
      for (var split = 0u; split < SPLITS; split++) {
        row_sum += load_b(split * M + row, M - row);
      }
      store_row_sums(0u, row, row_sum);
    }
#end
  }
}
