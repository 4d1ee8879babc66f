// One vec4 of an operand, for kernels that copy blocks of A and B to workgroup memory: `across` where the rows in
// memory run along k, `along` where the columns do. Rows and columns past the end of the output are those
// before it, and no stored element depends on them: where they lie does not change with k, so that loops need not ask.
// Steps of k past K give zeros.
//
// Header: M, N, K, K_EDGES (there are steps of k that are not whole); matmul-operands.wgsl.

fn load_a_across(group: u32, k: u32, column: u32) -> vec4f {
  if (K_EDGES && k >= K) {
    return vec4f(0.0);
  }
  let at = min(column, (M - 1u) / 4u * 4u);
  return scaled_a(group * K + k, load_a(a_row(group * K + k) + at, M - at));
}

fn load_b_across(group: u32, k: u32, column: u32) -> vec4f {
  if (K_EDGES && k >= K) {
    return vec4f(0.0);
  }
  let at = min(column, (N - 1u) / 4u * 4u);
  return load_b(b_row(group * K + k) + at, N - at);
}

fn load_a_along(group: u32, row: u32, k: u32) -> vec4f {
  if (K_EDGES && k >= K) {
    return vec4f(0.0);
  }
  let r = group * M + min(row, M - 1u);
  return scaled_a(r, load_a(a_row(r) + k, K - k));
}

fn load_b_along(group: u32, row: u32, k: u32) -> vec4f {
  if (K_EDGES && k >= K) {
    return vec4f(0.0);
  }
  return load_b(b_row(group * N + min(row, N - 1u)) + k, K - k);
}
