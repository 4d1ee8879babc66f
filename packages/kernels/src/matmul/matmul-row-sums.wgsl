// Sums of the rows of op(A), beside the product: out[m] = Σ_k A[k, m] of A stored [K, M], the bias gradient of a
// linear layer whose weight gradient the product is. A split of K leaves its own sums, M apart.
//
// Header: M, ROW_SUMS_OFFSET, ADD_TO_ROW_SUMS, SKIP_FROM, SKIP_TO (elements that stay as they are).

@group(0) @binding(7) var<storage, read_write> row_sums: array<f32>;

fn store_row_sums(split: u32, first: u32, sum: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    let row = first + i;
    if (row < M && (row < SKIP_FROM || row >= SKIP_TO)) {
      let at = ROW_SUMS_OFFSET + split * M + row;
      if (ADD_TO_ROW_SUMS) {
        row_sums[at] += sum[i];
      } else {
        row_sums[at] = sum[i];
      }
    }
  }
}
