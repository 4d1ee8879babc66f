// Matrix product from registers alone, for CPUs behind Vulkan without subgroups, and for mobile GPUs: no workgroup
// memory, no barrier. Where there are subgroups, matmul-subgroup-broadcast.wgsl does the same in half the time.
//
//   out[m, n] = epilogue(Σ_k op(A)[m, k] · op(B)[k, n])
//
// One invocation owns ROW_TILE rows × 4 · QUADS columns; a workgroup of LANES invocations lies along the
// columns. Rows come from workgroup_id alone, so that a GPU loads an element of A once for all lanes (llvmpipe does not,
// inside a loop). B is read four columns (or, transposed, four k) at a time.
// workgroup_id.z is group · SPLITS + split; split s sums k in [s · K_PER_SPLIT, (s+1) · K_PER_SPLIT).
//
// Measured on llvmpipe 25.0.7 with 8 lanes, GFLOP/s from processor time scaled to 2 cores (steady within a few
// per cent where elapsed time is not), at 808×512×512 unless said otherwise:
//   NN  rows × columns 16×8: 31; 12×8: 30; 8×8: 30; 8×4: 21; 16×4: 23; 32×4: 16; 24×8: 5 (registers spill).
//       Workgroups of 16 instead of 8, fma() instead of a product and a sum, and keeping the row addresses in an
//       array: no difference.
//   TN  (2048×512, K = 808) 8×8: 34; 16×8: 30; 8×4: 26; 16×4: 22.
//   NT  8×4: 19; 16×8: 17; 8×8: 13; 4×4: 16; 12×4: 11; 16×4: 11; 16 k at a time, column by column: 3 to 7. The
//       lanes' addresses lie a row of B apart and share few cache sets. Transposing B first and running NN: 31;
//       26 against 20 at 88 rows, 20 against 19 at 40, 4 to 9 against 16 at 8. Hence both ways, by rows.
//   The tiled kernel: 3 to 5.
// With the epilogue written out for every row a kernel took 2.9 s to compile, rolled 0.4 s. Element by element
// (unaligned operands) blocks are 4×4, or else masks and clamps take seconds to compile.
//
// Header: M, N, K, LANES, ROW_TILE, QUADS (columns / 4), SPLITS, K_PER_SPLIT, TRANSPOSE_A,
// TRANSPOSE_B, ROW_SUMS (with TRANSPOSE_A); matmul-layout.wgsl, an operand file, a row-sums file and
// matmul-epilogue.wgsl.

const COLUMNS = 4u * QUADS;
const SUMS = ROW_TILE * QUADS;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = tile.z / SPLITS;
  let k_begin = (tile.z % SPLITS) * K_PER_SPLIT;
  let k_end = min(k_begin + K_PER_SPLIT, K);
  let row = tile.y * ROW_TILE;
  let column = (tile.x * LANES + lane) * COLUMNS;
  var sum: array<vec4f, SUMS> = array<vec4f, SUMS>();

  if (TRANSPOSE_B) {
    // A is [M, K], B is [N, K]: inner products over four k at a time.
    for (var k = k_begin; k < k_end; k += 4u) {
      var b4: array<vec4f, COLUMNS> = array<vec4f, COLUMNS>();
      for (var j = 0u; j < COLUMNS; j++) {
        b4[j] = load_b(b_row(group * N + min(column + j, N - 1u)) + k, K - k);
      }
      for (var i = 0u; i < ROW_TILE; i++) {
        let a4 = load_a(a_row(group * M + min(row + i, M - 1u)) + k, K - k);
        for (var q = 0u; q < QUADS; q++) {
          sum[i * QUADS + q] += vec4f(
            dot(a4, b4[4u * q]), dot(a4, b4[4u * q + 1u]), dot(a4, b4[4u * q + 2u]), dot(a4, b4[4u * q + 3u]));
        }
      }
    }
  } else {
    let last = (N - 1u) / 4u * 4u;
    for (var k = k_begin; k < k_end; k++) {
      let b_start = b_row(group * K + k);
      var b4: array<vec4f, QUADS> = array<vec4f, QUADS>();
      for (var q = 0u; q < QUADS; q++) {
        let at = min(column + 4u * q, last);
        b4[q] = load_b(b_start + at, N - at);
      }
      if (TRANSPOSE_A) {
        // A is [K, M], B is [K, N].
        let a_start = a_row(group * K + k);
        for (var i = 0u; i < ROW_TILE; i += 4u) {
          let at = min(row + i, (M - 1u) / 4u * 4u);
          let a4 = load_a(a_start + at, M - at);
          for (var q = 0u; q < QUADS; q++) {
            sum[i * QUADS + q] += a4.x * b4[q];
            sum[(i + 1u) * QUADS + q] += a4.y * b4[q];
            sum[(i + 2u) * QUADS + q] += a4.z * b4[q];
            sum[(i + 3u) * QUADS + q] += a4.w * b4[q];
          }
        }
      } else {
        // A is [M, K], B is [K, N].
        for (var i = 0u; i < ROW_TILE; i++) {
          let value = load_a_one(a_row(group * M + min(row + i, M - 1u)) + k);
          for (var q = 0u; q < QUADS; q++) {
            sum[i * QUADS + q] += value * b4[q];
          }
        }
      }
    }
  }

  // A loop of its own, of few workgroups: inside the one above it costs 6 % of the product, here 1 %.
  if (ROW_SUMS && tile.x == 0u && lane * 4u < ROW_TILE) {
    let first = row + lane * 4u;
    let at = min(first, (M - 1u) / 4u * 4u);
    var row_sum = vec4f(0.0);
    for (var k = k_begin; k < k_end; k++) {
      row_sum += load_a(a_row(k) + at, M - at);
    }
    store_row_sums(tile.z, first, row_sum);
  }
  // Kept rolled by a bound known only at run time: a copy of the epilogue per row takes seconds to compile.
  var result: array<vec4f, SUMS> = sum;
  let rows = min(ROW_TILE, M - row);
  for (var i = 0u; i < rows * QUADS; i++) {
    let at = column + (i % QUADS) * 4u;
    if (at < N) {
      finish(tile.z * M + row + i / QUADS, at, result[i]);
    }
  }
}
