// Matrix product on matrix units (tensor cores), for GPUs.
//
//   out[m, n] = epilogue(Σ_k f16(op(A)[m, k]) · f16(op(B)[k, n]))
//
// Operands are rounded to f16 on their way into workgroup memory, products and sums are f32: errors are those of
// 11-bit operands (2⁻¹¹ each, at most; below 2⁻¹⁴ digits are lost, above 65504 a value is infinite).
//
// A workgroup owns a block of TILE_M × TILE_N elements, cut into SUBGROUP_ROWS × SUBGROUP_COLUMNS parts, one for each
// subgroup; a part is UNITS_DOWN × UNITS_ACROSS products of units, whose sums stay in registers. For every TILE_K
// steps of k the workgroup copies a block of A and one of B, both as rows along k: that is how units load them
// fastest. What lies across k in memory is turned on its way, in pieces of 4 × 4 elements. Rows are PADDING elements
// longer than they need be, or else a column of a block would lie in a few banks. Single elements of a matrix cannot be reached: sums go through workgroup memory to the epilogue, a row of
// units of every subgroup at a time, which takes a fraction of the memory that the whole block would.
// Where subgroups turn out smaller than their largest size there are more of them than parts, and the rest only
// copies.
//
// Sums and operands of a part are written out in a file for its size (matmul-part-4x2.wgsl, …), and so are the loads of
// a copy; what loops cost instead, on an H100 at 4096³: sums in loops 29.5 TFLOP/s, written out 49.8, and 80.2 without
// Dawn's checks of indices; elements of a block one by one instead of by four, 30 % more time; blocks as they lie in
// memory, half the speed for operands across k. Tried there and lost:
// 128 sums an invocation (a fifth of the speed), loads of the next block ahead of the products (a sixth slower: they
// leave registers for one workgroup instead of two), units loaded straight from storage (half the speed).
// workgroup_id.z is group · SPLITS + split; split s sums k in [s · K_PER_SPLIT, (s+1) · K_PER_SPLIT).
//
// Header: M, N, K, SUBGROUP_ROWS, SUBGROUP_COLUMNS, TILE_K (a multiple of UNIT_K and 4),
// PADDING, INVOCATIONS, SPLITS, K_PER_SPLIT (a multiple of TILE_K), TRANSPOSE_A, TRANSPOSE_B, ROW_SUMS (with TRANSPOSE_A);
// matmul-layout.wgsl, an operand file, a row-sums file, matmul-epilogue.wgsl, a part file,
// matmul-blocks.wgsl and matmul-matrix-units-operations.wgsl. Needs `enable subgroups` besides.

const PART_M = UNITS_DOWN * UNIT_M;
const PART_N = UNITS_ACROSS * UNIT_N;
const TILE_M = SUBGROUP_ROWS * PART_M;
const TILE_N = SUBGROUP_COLUMNS * PART_N;
const PARTS = SUBGROUP_ROWS * SUBGROUP_COLUMNS;
const STRIP = UNIT_M * PART_N; // elements of a row of units

const K_QUADS = TILE_K / 4u;
const STRIDE = K_QUADS + PADDING / 4u; // vec4 of a row of a block
const A_PIECES = TILE_M / 4u * K_QUADS;
const B_PIECES = TILE_N / 4u * K_QUADS;
// Whether every copy of every invocation is one of both blocks.
const COPIES_EXACT = A_PIECES == B_PIECES && A_PIECES % INVOCATIONS == 0u;

var<workgroup> a_block: array<vec4h, TILE_M * STRIDE>;
var<workgroup> b_block: array<vec4h, TILE_N * STRIDE>;
var<workgroup> stage: array<vec4f, PARTS * STRIP / 4u>;
// What each piece of A has added to the sums of its four rows, up to the present step of k.
var<workgroup> row_parts: array<vec4f, select(1u, A_PIECES, ROW_SUMS)>;

// Four rows of op(A), or columns of op(B), by four steps of k. Pieces lie side by side along k.
fn load_a_piece(group: u32, row: u32, k: u32, piece: u32) -> mat4x4f {
  let r = row + piece / K_QUADS * 4u;
  let at = k + piece % K_QUADS * 4u;
  if (TRANSPOSE_A) {
    return transpose(mat4x4f(load_a_across(group, at, r), load_a_across(group, at + 1u, r),
                             load_a_across(group, at + 2u, r), load_a_across(group, at + 3u, r)));
  }
  return mat4x4f(load_a_along(group, r, at), load_a_along(group, r + 1u, at),
                 load_a_along(group, r + 2u, at), load_a_along(group, r + 3u, at));
}

fn load_b_piece(group: u32, column: u32, k: u32, piece: u32) -> mat4x4f {
  let c = column + piece / K_QUADS * 4u;
  let at = k + piece % K_QUADS * 4u;
  if (TRANSPOSE_B) {
    return mat4x4f(load_b_along(group, c, at), load_b_along(group, c + 1u, at),
                   load_b_along(group, c + 2u, at), load_b_along(group, c + 3u, at));
  }
  return transpose(mat4x4f(load_b_across(group, at, c), load_b_across(group, at + 1u, c),
                           load_b_across(group, at + 2u, c), load_b_across(group, at + 3u, c)));
}

fn store_a_piece(piece: u32, value: mat4x4f) {
  let at = piece / K_QUADS * 4u * STRIDE + piece % K_QUADS;
  a_block[at] = vec4h(value[0]);
  a_block[at + STRIDE] = vec4h(value[1]);
  a_block[at + 2u * STRIDE] = vec4h(value[2]);
  a_block[at + 3u * STRIDE] = vec4h(value[3]);
  if (ROW_SUMS) {
    row_parts[piece] += vec4f(1.0) * value;
  }
}

fn store_b_piece(piece: u32, value: mat4x4f) {
  let at = piece / K_QUADS * 4u * STRIDE + piece % K_QUADS;
  b_block[at] = vec4h(value[0]);
  b_block[at + STRIDE] = vec4h(value[1]);
  b_block[at + 2u * STRIDE] = vec4h(value[2]);
  b_block[at + 3u * STRIDE] = vec4h(value[3]);
}

// Eight loads are under way before the first store waits for one: in a loop of a load and a store each takes a trip to
// memory after the other.
fn copy_blocks(group: u32, row: u32, column: u32, k: u32, index: u32) {
  for (var piece = index; piece < max(A_PIECES, B_PIECES); piece += INVOCATIONS) {
    let a_piece = load_a_piece(group, row, k, min(piece, A_PIECES - 1u));
    let b_piece = load_b_piece(group, column, k, min(piece, B_PIECES - 1u));
    if (COPIES_EXACT || piece < A_PIECES) {
      store_a_piece(piece, a_piece);
    }
    if (COPIES_EXACT || piece < B_PIECES) {
      store_b_piece(piece, b_piece);
    }
  }
}

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_id) subgroup: u32,
) {
  let group = tile.z / SPLITS;
  let k_begin = (tile.z % SPLITS) * K_PER_SPLIT;
  let k_end = min(k_begin + K_PER_SPLIT, K);
  let row = tile.y * TILE_M;
  let column = tile.x * TILE_N;
  let part_row = subgroup / SUBGROUP_COLUMNS * PART_M;
  let part_column = subgroup % SUBGROUP_COLUMNS * PART_N;
  var sum: Sums = Sums();

  for (var k = k_begin; k < k_end; k += TILE_K) {
    copy_blocks(group, row, column, k, index);
    workgroupBarrier();
    if (subgroup < PARTS) {
      for (var i = 0u; i < TILE_K; i += UNIT_K) {
        multiply_part(part_row * STRIDE + i / 4u, part_column * STRIDE + i / 4u, &sum);
      }
    }
    workgroupBarrier();
  }

  if (ROW_SUMS && tile.x == 0u) {
    for (var quad = index; quad < TILE_M / 4u; quad += INVOCATIONS) {
      var row_sum = vec4f(0.0);
      for (var i = 0u; i < K_QUADS; i++) {
        row_sum += row_parts[quad * K_QUADS + i];
      }
      store_row_sums(tile.z, row + quad * 4u, row_sum);
    }
  }
  for (var y = 0u; y < UNITS_DOWN; y++) {
    if (subgroup < PARTS) {
      stage_units(subgroup * STRIP / 4u, y, &sum);
    }
    workgroupBarrier();
    for (var i = index; i < PARTS * STRIP / 4u; i += INVOCATIONS) {
      let part = i / (STRIP / 4u);
      let r = row + part / SUBGROUP_COLUMNS * PART_M + y * UNIT_M + i % (STRIP / 4u) / (PART_N / 4u);
      let c = column + part % SUBGROUP_COLUMNS * PART_N + i % (PART_N / 4u) * 4u;
      if (r < M && c < N) {
        finish(tile.z * M + r, c, stage[i]);
      }
    }
    workgroupBarrier();
  }
}
