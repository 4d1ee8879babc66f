// Matrix product through workgroup memory, for GPUs.
//
//   out[m, n] = epilogue(Σ_k op(A)[m, k] · op(B)[k, n])
//
// A workgroup of WIDTH × WIDTH invocations owns a block of TILE × TILE (TILE = 4 · WIDTH) elements, an invocation
// 4 × 4 of them in registers. For every TILE_K steps of k the workgroup copies a block of A and one of B, each
// in the orientation that it has in memory, so that neighbouring invocations read neighbouring vec4. A block
// that is contiguous along k is kept as rows of SLOTS = TILE_K / 4 vec4; B's rows are rotated by their column
// block, or else the eight invocations that read at once would meet in the same banks.
// The method is the common ground of WebGPU engines, after Goto & van de Geijn, 2008: block for each level of
// memory. workgroup_id.z is group · SPLITS + split; split s sums k in [s · K_PER_SPLIT, (s+1) · K_PER_SPLIT).
//
// Header: M, N, K, WIDTH, TILE_K, SPLITS, K_PER_SPLIT (a multiple of TILE_K), TRANSPOSE_A, TRANSPOSE_B,
// M_EXACT, N_EXACT (whole blocks), K_EXACT (whole steps of TILE_K), ROW_SUMS (with TRANSPOSE_A);
// matmul-layout.wgsl, an operand file, a row-sums file, matmul-epilogue.wgsl and matmul-blocks.wgsl.
// The loops over a block end at a bound known only at run time: unrolled reads of workgroup arrays take a
// software driver half a minute to compile.

const TILE = 4u * WIDTH;
const SLOTS = TILE_K / 4u;
const INVOCATIONS = WIDTH * WIDTH;
const BLOCK = TILE * SLOTS; // vec4 of one block

var<workgroup> a_block: array<vec4f, BLOCK>;
var<workgroup> b_block: array<vec4f, BLOCK>;

// Where slot `slot` of B's row `row` lies in its block.
fn rotated(row: u32, slot: u32) -> u32 {
  return row * SLOTS + (slot + row / 4u) % SLOTS;
}

@compute @workgroup_size(WIDTH, WIDTH)
fn main(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let group = tile.z / SPLITS;
  let k_begin = (tile.z % SPLITS) * K_PER_SPLIT;
  let k_end = min(k_begin + K_PER_SPLIT, K);
  let row = tile.y * TILE;
  let column = tile.x * TILE;
  var sum0 = vec4f(0.0);
  var sum1 = vec4f(0.0);
  var sum2 = vec4f(0.0);
  var sum3 = vec4f(0.0);
  var row_sum = vec4f(0.0);

  for (var k = k_begin; k < k_end; k += TILE_K) {
    for (var i = index; i < BLOCK; i += INVOCATIONS) {
      if (TRANSPOSE_A) {
        a_block[i] = load_a_across(group, k + i / WIDTH, row + (i % WIDTH) * 4u);
      } else {
        a_block[i] = load_a_along(group, row + i / SLOTS, k + (i % SLOTS) * 4u);
      }
      if (TRANSPOSE_B) {
        b_block[rotated(i / SLOTS, i % SLOTS)] = load_b_along(group, column + i / SLOTS, k + (i % SLOTS) * 4u);
      } else {
        b_block[i] = load_b_across(group, k + i / WIDTH, column + (i % WIDTH) * 4u);
      }
    }
    workgroupBarrier();

    let slots = min(SLOTS, (k_end - k + 3u) / 4u);
    for (var slot = 0u; slot < slots; slot++) {
      if (TRANSPOSE_A) {
        for (var i = slot * 4u; i < slot * 4u + 4u; i++) {
          let a4 = a_block[i * WIDTH + lane.y];
          if (ROW_SUMS) {
            row_sum += a4;
          }
          let b4 = b_block[i * WIDTH + lane.x];
          sum0 += a4.x * b4;
          sum1 += a4.y * b4;
          sum2 += a4.z * b4;
          sum3 += a4.w * b4;
        }
      } else {
        let a0 = a_block[(lane.y * 4u) * SLOTS + slot];
        let a1 = a_block[(lane.y * 4u + 1u) * SLOTS + slot];
        let a2 = a_block[(lane.y * 4u + 2u) * SLOTS + slot];
        let a3 = a_block[(lane.y * 4u + 3u) * SLOTS + slot];
        if (TRANSPOSE_B) {
          let b0 = b_block[rotated(lane.x * 4u, slot)];
          let b1 = b_block[rotated(lane.x * 4u + 1u, slot)];
          let b2 = b_block[rotated(lane.x * 4u + 2u, slot)];
          let b3 = b_block[rotated(lane.x * 4u + 3u, slot)];
          sum0 += vec4f(dot(a0, b0), dot(a0, b1), dot(a0, b2), dot(a0, b3));
          sum1 += vec4f(dot(a1, b0), dot(a1, b1), dot(a1, b2), dot(a1, b3));
          sum2 += vec4f(dot(a2, b0), dot(a2, b1), dot(a2, b2), dot(a2, b3));
          sum3 += vec4f(dot(a3, b0), dot(a3, b1), dot(a3, b2), dot(a3, b3));
        } else {
          let b0 = b_block[(slot * 4u) * WIDTH + lane.x];
          let b1 = b_block[(slot * 4u + 1u) * WIDTH + lane.x];
          let b2 = b_block[(slot * 4u + 2u) * WIDTH + lane.x];
          let b3 = b_block[(slot * 4u + 3u) * WIDTH + lane.x];
          sum0 += a0.x * b0 + a0.y * b1 + a0.z * b2 + a0.w * b3;
          sum1 += a1.x * b0 + a1.y * b1 + a1.z * b2 + a1.w * b3;
          sum2 += a2.x * b0 + a2.y * b1 + a2.z * b2 + a2.w * b3;
          sum3 += a3.x * b0 + a3.y * b1 + a3.z * b2 + a3.w * b3;
        }
      }
    }
    workgroupBarrier();
  }

  let first = row + lane.y * 4u;
  let at = column + lane.x * 4u;
  if (ROW_SUMS && at == 0u) {
    store_row_sums(tile.z, first, row_sum);
  }
  if (N_EXACT || at < N) {
    var result: array<vec4f, 4> = array<vec4f, 4>(sum0, sum1, sum2, sum3);
    let rows = select(min(4u, M - min(first, M)), 4u, M_EXACT);
    for (var i = 0u; i < rows; i++) {
      finish(tile.z * M + first + i, at, result[i]);
    }
  }
}
