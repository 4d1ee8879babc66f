// Matrix product from registers alone, for CPUs behind Vulkan: no workgroup memory, no barrier.
//
//   out[m, n] = epilogue(Σ_k op(A)[m, k] · op(B)[k, n])
//
// One invocation owns 16 rows × 8 columns (32 vec4 sums); a workgroup of LANES invocations lies along the
// columns. Rows come from workgroup_id alone, so that the compiler sees every address in A as uniform: one
// scalar load serves all lanes. B is read four columns (or, transposed, four k) at a time.
// workgroup_id.z is group · SPLITS + split; split s sums k in [s · K_PER_SPLIT, (s+1) · K_PER_SPLIT).
//
// Header: M, N, K, LANES, SPLITS, K_PER_SPLIT, TRANSPOSE_A, TRANSPOSE_B; matmul-layout.wgsl, an operand file and
// matmul-epilogue.wgsl.

const ROW_TILE = 16u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = tile.z / SPLITS;
  let k_begin = (tile.z % SPLITS) * K_PER_SPLIT;
  let k_end = min(k_begin + K_PER_SPLIT, K);
  let row = tile.y * ROW_TILE;
  let column = (tile.x * LANES + lane) * 8u;
  var sum: array<vec4f, 32> = array<vec4f, 32>();

  if (TRANSPOSE_A) {
    // A is [K, M], B is [K, N]: an outer product for every k.
    let left = min(column, (N - 1u) / 4u * 4u);
    let right = min(column + 4u, (N - 1u) / 4u * 4u);
    for (var k = k_begin; k < k_end; k++) {
      let b_start = b_row(group * K + k);
      let a_start = a_row(group * K + k);
      let b0 = load_b(b_start + left, N - left);
      let b1 = load_b(b_start + right, N - right);
      for (var i = 0u; i < 4u; i++) {
        let at = min(row + i * 4u, (M - 1u) / 4u * 4u);
        let a4 = load_a(a_start + at, M - at);
        sum[i * 8u] += a4.x * b0;
        sum[i * 8u + 1u] += a4.x * b1;
        sum[i * 8u + 2u] += a4.y * b0;
        sum[i * 8u + 3u] += a4.y * b1;
        sum[i * 8u + 4u] += a4.z * b0;
        sum[i * 8u + 5u] += a4.z * b1;
        sum[i * 8u + 6u] += a4.w * b0;
        sum[i * 8u + 7u] += a4.w * b1;
      }
    }
  } else if (TRANSPOSE_B) {
    // A is [M, K], B is [N, K]: inner products over four k at a time.
    for (var k = k_begin; k < k_end; k += 4u) {
      var b4: array<vec4f, 8> = array<vec4f, 8>();
      for (var j = 0u; j < 8u; j++) {
        b4[j] = load_b(b_row(group * N + min(column + j, N - 1u)) + k, K - k);
      }
      for (var i = 0u; i < ROW_TILE; i++) {
        let a4 = load_a(a_row(group * M + min(row + i, M - 1u)) + k, K - k);
        sum[i * 2u] += vec4f(dot(a4, b4[0]), dot(a4, b4[1]), dot(a4, b4[2]), dot(a4, b4[3]));
        sum[i * 2u + 1u] += vec4f(dot(a4, b4[4]), dot(a4, b4[5]), dot(a4, b4[6]), dot(a4, b4[7]));
      }
    }
  } else {
    // A is [M, K], B is [K, N].
    let left = min(column, (N - 1u) / 4u * 4u);
    let right = min(column + 4u, (N - 1u) / 4u * 4u);
    for (var k = k_begin; k < k_end; k++) {
      let b_start = b_row(group * K + k);
      let b0 = load_b(b_start + left, N - left);
      let b1 = load_b(b_start + right, N - right);
      for (var i = 0u; i < ROW_TILE; i++) {
        let value = load_a_one(a_row(group * M + min(row + i, M - 1u)) + k);
        sum[i * 2u] += value * b0;
        sum[i * 2u + 1u] += value * b1;
      }
    }
  }

  // Kept rolled by a bound known only at run time: 32 copies of the epilogue take seconds to compile.
  var result: array<vec4f, 32> = sum;
  let rows = min(ROW_TILE, M - row);
  for (var i = 0u; i < rows * 2u; i++) {
    let at = column + (i % 2u) * 4u;
    if (at < N) {
      finish(tile.z * M + row + i / 2u, at, result[i]);
    }
  }
}
