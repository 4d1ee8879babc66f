// Turns the weight of a linear layer, [N, K], into [K, N], which the register kernel reads in half the time.
//
// One invocation moves 4 × 4 elements; neighbouring invocations write neighbouring vec4. Both extents are
// multiples of four. Header: BLOCKS_N, BLOCKS_K (extents / 4), GROUPS, GRID_X and the constants B_… of
// matmul-layout.wgsl, whose first function is repeated here for the one operand there is.

@group(0) @binding(0) var<storage, read> b: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> transposed: array<vec4f>;

fn b_row(row: u32) -> u32 {
  if (B_TWO_LEVELS) {
    return B_OFFSET + (row / B_INNER) * B_OUTER_STRIDE + (row % B_INNER) * B_INNER_STRIDE;
  }
  return B_OFFSET + row * B_INNER_STRIDE;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = (workgroup.x + workgroup.y * GRID_X) * 64u + lane;
  let block_n = index % BLOCKS_N;
  let block_k = index / BLOCKS_N % BLOCKS_K;
  let group = index / (BLOCKS_N * BLOCKS_K);
  if (group < GROUPS) {
    let row = (group * BLOCKS_N + block_n) * 4u;
    let v0 = b[b_row(row) / 4u + block_k];
    let v1 = b[b_row(row + 1u) / 4u + block_k];
    let v2 = b[b_row(row + 2u) / 4u + block_k];
    let v3 = b[b_row(row + 3u) / 4u + block_k];
    let at = (group * BLOCKS_K + block_k) * 4u * BLOCKS_N + block_n;
    transposed[at] = vec4f(v0.x, v1.x, v2.x, v3.x);
    transposed[at + BLOCKS_N] = vec4f(v0.y, v1.y, v2.y, v3.y);
    transposed[at + 2u * BLOCKS_N] = vec4f(v0.z, v1.z, v2.z, v3.z);
    transposed[at + 3u * BLOCKS_N] = vec4f(v0.w, v1.w, v2.w, v3.w);
  }
}
