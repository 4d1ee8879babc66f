// Matrix product on matrix units (tensor cores), for GPUs.
//
//   out[m, n] = epilogue(Σ_k f16(op(A)[m, k]) · f16(op(B)[k, n]))
//
// Operands are rounded to f16 on their way into workgroup memory, products and sums are f32: errors are those of
// 11-bit operands (2⁻¹¹ each, at most; below 2⁻¹⁴ digits are lost, above 65504 a value is infinite).
//
// A workgroup owns a block of TILE_M × TILE_N elements, cut into SUBGROUP_ROWS × SUBGROUP_COLUMNS parts, one for each
// subgroup; a part is UNITS_DOWN × UNITS_ACROSS products of units, whose sums stay in registers. For every TILE_K
// steps of k the workgroup copies a block of A and one of B, each in the orientation that it has in memory: the units
// load either. Where the output is too small to keep a GPU busy by its blocks, K_GROUPS subgroups share a part, each with
// some of the steps of k, and the epilogue adds up what they have. Rows are PADDING elements longer than they need be, or
// else a column of a block would lie in a few banks. Single elements of a matrix cannot be reached: sums go through
// workgroup memory to the epilogue, STAGED rows of units of every subgroup at a time, which takes a fraction of the memory
// that the whole block would. Where subgroups turn out smaller than their largest size there are more of them than
// parts, and the rest only copies.
//
// How blocks are copied is in matmul-matrix-octets.wgsl (LOAD_WIDTH 8) and matmul-matrix-quads.wgsl, one of which
// precedes: add_products, which calls multiply_blocks for each step, and how `staged` sums are read.
//
// Sums and operands of a part are written out, and so are the loads of a copy; what loops cost instead, on an H100 at
// 4096³, operands stored in f32 and copied by four: sums in loops 29.5 TFLOP/s, written out 49.8, without Dawn's checks of
// indices 80.2, and 108.4 with all loads of a step side by side; elements of a block one by one instead of by four, 30 %
// more time. Tried there and lost: both blocks turned to lie along k (a quarter slower), 128 sums an invocation (a fifth
// of the speed), loads of the next block, still in f32, ahead of the products (a sixth slower: they leave registers for
// one workgroup instead of two), units loaded straight from storage (half the speed).
// workgroup_id.z is group · SPLITS + split; split s sums k in [s · K_PER_SPLIT, (s+1) · K_PER_SPLIT).
//
// Header: M, N, K, UNIT_M, UNIT_N, UNIT_K, UNITS_DOWN, UNITS_ACROSS, SUBGROUP_ROWS, SUBGROUP_COLUMNS, K_GROUPS, TILE_K
// (a multiple of K_GROUPS · UNIT_K and GRAIN), PADDING, INVOCATIONS, SPLITS, K_PER_SPLIT (a multiple of TILE_K),
// TRANSPOSE_A, TRANSPOSE_B, K_EDGES (there are steps of k that are not whole); matmul-operands.wgsl,
// matmul-epilogue.wgsl, matmul-matrix-units-operations.wgsl, and one of the files of copies.

enable subgroups;

const PART_M = UNITS_DOWN * UNIT_M;
const PART_N = UNITS_ACROSS * UNIT_N;
const TILE_M = SUBGROUP_ROWS * PART_M;
const TILE_N = SUBGROUP_COLUMNS * PART_N;
const PARTS = SUBGROUP_ROWS * SUBGROUP_COLUMNS;
const WORKERS = PARTS * K_GROUPS;

// Blocks as they lie in workgroup memory, in elements of that, GRAIN of an operand each.
const A_ROWS = select(TILE_M, TILE_K, TRANSPOSE_A);
const A_WIDTH = select(TILE_K, TILE_M, TRANSPOSE_A) / GRAIN; // of a row
const A_STRIDE = A_WIDTH + PADDING / GRAIN;
const B_ROWS = select(TILE_K, TILE_N, TRANSPOSE_B);
const B_WIDTH = select(TILE_N, TILE_K, TRANSPOSE_B) / GRAIN;
const B_STRIDE = B_WIDTH + PADDING / GRAIN;
const A_SIZE = A_ROWS * A_WIDTH;
const B_SIZE = B_ROWS * B_WIDTH;
const STRIP = UNIT_M * PART_N / 4u; // a row of units of a subgroup, in vec4f
const STAGE = STAGED * WORKERS * STRIP;

// The sums of a part, row by row: loops over arrays of matrices that a compiler does not unroll keep them in memory
// instead of registers, which costs a factor of five.
alias Sums = array<SumUnit, UNITS_DOWN * UNITS_ACROSS>;

// One step of UNIT_K: a_at and b_at are where the part's operands begin.
fn multiply_part(a_at: u32, b_at: u32, sum: ptr<function, Sums>) {
  let a_step = select(UNIT_M * A_STRIDE, UNIT_M / GRAIN, TRANSPOSE_A);
  let b_step = select(UNIT_N / GRAIN, UNIT_N * B_STRIDE, TRANSPOSE_B);
#for Y in 0..UNITS_DOWN
  let left{Y} = load_left(a_at + Y * a_step, A_STRIDE, TRANSPOSE_A);
#end
#for X in 0..UNITS_ACROSS
  let right{X} = load_right(b_at + X * b_step, B_STRIDE, TRANSPOSE_B);
#for Y in 0..UNITS_DOWN
  (*sum)[Y * UNITS_ACROSS + X] = multiply_add(left{Y}, right{X}, (*sum)[Y * UNITS_ACROSS + X]);
#end
#end
}

// All steps of k of the blocks that begin at a_first and b_first.
fn multiply_blocks(a_first: u32, b_first: u32, subgroup: u32, sum: ptr<function, Sums>) {
  if (subgroup < WORKERS) {
    let k_group = subgroup / PARTS;
    let part_row = subgroup % PARTS / SUBGROUP_COLUMNS * PART_M;
    let part_column = subgroup % SUBGROUP_COLUMNS * PART_N;
    for (var i = k_group * UNIT_K; i < TILE_K; i += K_GROUPS * UNIT_K) {
      let a_at = select(part_row * A_STRIDE + i / GRAIN, i * A_STRIDE + part_row / GRAIN, TRANSPOSE_A);
      let b_at = select(i * B_STRIDE + part_column / GRAIN, part_column * B_STRIDE + i / GRAIN, TRANSPOSE_B);
      multiply_part(a_first + a_at, b_first + b_at, sum);
    }
  }
}

// Row y of the part's units into the stage, from element `at` (a vec4) on.
fn stage_units(at: u32, y: u32, sum: ptr<function, Sums>) {
  switch y {
#for Y in 0..UNITS_DOWN
    case Y: {
#for X in 0..UNITS_ACROSS
      store_sum(at + X * UNIT_N / 4u, PART_N / 4u, (*sum)[Y * UNITS_ACROSS + X]);
#end
    }
#end
    default: {}
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
  var sum: Sums = Sums();
  var parts = RowParts();
  // One block of each row is enough for its sum.
#if row_sums
  let sums_rows = tile.x == 0u && ROW_SUMS != 0u;
#else
  let sums_rows = false;
#end
  add_products(group, row, column, k_begin, k_end, sums_rows, index, subgroup, &sum, &parts);
#if row_sums
  if (sums_rows) {
    finish_row_sums(tile.z, row, index, parts);
  }
#end
  for (var y = 0u; y < UNITS_DOWN; y += STAGED) {
    if (subgroup < WORKERS) {
      for (var s = 0u; s < STAGED; s++) {
        stage_units((s * WORKERS + subgroup) * STRIP, y + s, &sum);
      }
    }
    workgroupBarrier();
    for (var i = index; i < STAGED * PARTS * STRIP; i += INVOCATIONS) {
      let s = i / (PARTS * STRIP);
      let part = i / STRIP % PARTS;
      let r = row + part / SUBGROUP_COLUMNS * PART_M + (y + s) * UNIT_M + i % STRIP / (PART_N / 4u);
      let c = column + part % SUBGROUP_COLUMNS * PART_N + i % (PART_N / 4u) * 4u;
      let at = s * WORKERS * STRIP + i % (PARTS * STRIP);
      var sum_of_groups = staged(at);
#for G in 1..K_GROUPS
      sum_of_groups += staged(at + G * PARTS * STRIP);
#end
      if (r < M && c < N) {
        finish(tile.z * M + r, c, sum_of_groups);
      }
    }
    workgroupBarrier();
  }
}
