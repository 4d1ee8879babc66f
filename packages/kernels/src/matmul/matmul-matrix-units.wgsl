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
// some of the steps of k, and the epilogue adds up what they have. Rows are PADDING elements longer than they need be, or else a column of a block would lie in a few
// banks. Single elements of a matrix cannot be reached: sums go through workgroup memory to the epilogue, a row of
// units of every subgroup at a time, which takes a fraction of the memory that the whole block would.
// Where subgroups turn out smaller than their largest size there are more of them than parts, and the rest only
// copies.
//
// Sums and operands of a part are written out, and so are the loads of a copy; what loops cost instead, on an H100 at 4096³: sums in loops 29.5 TFLOP/s, written out 49.8, without
// Dawn's checks of indices 80.2, and 108.4 with all loads of a step side by side; elements of a block one by one
// instead of by four, 30 % more time. Tried there and lost: both blocks turned to lie along k (a quarter slower),
// 128 sums an invocation (a fifth of the speed), loads of the next block ahead of the products (a sixth slower: they
// leave registers for one workgroup instead of two), units loaded straight from storage (half the speed).
// workgroup_id.z is group · SPLITS + split; split s sums k in [s · K_PER_SPLIT, (s+1) · K_PER_SPLIT).
//
// Header: M, N, K, UNIT_M, UNIT_N, UNIT_K, UNITS_DOWN, UNITS_ACROSS, SUBGROUP_ROWS, SUBGROUP_COLUMNS, K_GROUPS, TILE_K
// (a multiple of K_GROUPS · UNIT_K and 4), PADDING, INVOCATIONS, SPLITS, K_PER_SPLIT (a multiple of TILE_K), TRANSPOSE_A, TRANSPOSE_B,
// K_EDGES (there are steps of k that are not whole); matmul-operands.wgsl, matmul-epilogue.wgsl,
// matmul-blocks.wgsl and matmul-matrix-units-operations.wgsl.

enable subgroups;

const PART_M = UNITS_DOWN * UNIT_M;
const PART_N = UNITS_ACROSS * UNIT_N;
const TILE_M = SUBGROUP_ROWS * PART_M;
const TILE_N = SUBGROUP_COLUMNS * PART_N;
const PARTS = SUBGROUP_ROWS * SUBGROUP_COLUMNS;
const WORKERS = PARTS * K_GROUPS;

const A_ROWS = select(TILE_M, TILE_K, TRANSPOSE_A);
const A_QUADS = select(TILE_K, TILE_M, TRANSPOSE_A) / 4u; // of a row
const A_STRIDE = A_QUADS + PADDING / 4u;
const B_ROWS = select(TILE_K, TILE_N, TRANSPOSE_B);
const B_QUADS = select(TILE_N, TILE_K, TRANSPOSE_B) / 4u;
const B_STRIDE = B_QUADS + PADDING / 4u;
const A_SIZE = A_ROWS * A_QUADS;
const B_SIZE = B_ROWS * B_QUADS;
// Whether every copy of every invocation is one of both blocks.
const COPIES_EXACT = A_SIZE == B_SIZE && A_SIZE % (4u * INVOCATIONS) == 0u;
const STRIP = UNIT_M * PART_N; // elements of a row of units

var<workgroup> a_block: array<vec4h, A_ROWS * A_STRIDE>;
var<workgroup> b_block: array<vec4h, B_ROWS * B_STRIDE>;
var<workgroup> stage: array<vec4f, WORKERS * STRIP / 4u>;
#if row_sums
// What each invocation has of the sums of rows; those of a row are A_QUADS invocations apart.
var<workgroup> row_parts: array<vec4f, INVOCATIONS>;
const_assert INVOCATIONS % A_QUADS == 0u;
#end

fn load_a_quad(group: u32, row: u32, k: u32, i: u32) -> vec4f {
  let r = i / A_QUADS;
  let c = i % A_QUADS * 4u;
  if (TRANSPOSE_A) {
    return load_a_across(group, k + r, row + c);
  }
  return load_a_along(group, row + r, k + c);
}

fn load_b_quad(group: u32, column: u32, k: u32, i: u32) -> vec4f {
  let r = i / B_QUADS;
  let c = i % B_QUADS * 4u;
  if (TRANSPOSE_B) {
    return load_b_along(group, column + r, k + c);
  }
  return load_b_across(group, k + r, column + c);
}

fn store_a_quad(i: u32, value: vec4f) {
  if (COPIES_EXACT || i < A_SIZE) {
    a_block[i / A_QUADS * A_STRIDE + i % A_QUADS] = vec4h(value);
  }
}

fn store_b_quad(i: u32, value: vec4f) {
  if (COPIES_EXACT || i < B_SIZE) {
    b_block[i / B_QUADS * B_STRIDE + i % B_QUADS] = vec4h(value);
  }
}

// Eight loads are under way before the first store waits for one: in a loop of a load and a store each takes a trip to
// memory after the other. Gives the sum of what an invocation copied of A, not rounded and all from the same rows of
// op(A).
fn copy_blocks(group: u32, row: u32, column: u32, k: u32, index: u32) -> vec4f {
  var sum = vec4f(0.0);
  for (var i = index; i < max(A_SIZE, B_SIZE); i += 4u * INVOCATIONS) {
#for I in 0..4
    let a{I} = load_a_quad(group, row, k, min(i + I * INVOCATIONS, A_SIZE - 1u));
#end
#for I in 0..4
    let b{I} = load_b_quad(group, column, k, min(i + I * INVOCATIONS, B_SIZE - 1u));
#end
#for I in 0..4
    store_a_quad(i + I * INVOCATIONS, a{I});
#end
#for I in 0..4
    store_b_quad(i + I * INVOCATIONS, b{I});
#end
#if row_sums
#for I in 0..4
    sum += select(vec4f(0.0), a{I}, i + I * INVOCATIONS < A_SIZE);
#end
#end
  }
  return sum;
}

// The sums of a part, row by row: loops over arrays of matrices that a compiler does not unroll keep them in memory
// instead of registers, which costs a factor of five.
alias Sums = array<SumUnit, UNITS_DOWN * UNITS_ACROSS>;

// One step of UNIT_K: a_at and b_at are where the part's operands begin.
fn multiply_part(a_at: u32, b_at: u32, sum: ptr<function, Sums>) {
  let a_step = select(UNIT_M * A_STRIDE, UNIT_M / 4u, TRANSPOSE_A);
  let b_step = select(UNIT_N / 4u, UNIT_N * B_STRIDE, TRANSPOSE_B);
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
  let k_group = subgroup / PARTS;
  let part_row = subgroup % PARTS / SUBGROUP_COLUMNS * PART_M;
  let part_column = subgroup % SUBGROUP_COLUMNS * PART_N;
  var sum: Sums = Sums();
  var copied = vec4f(0.0);

  for (var k = k_begin; k < k_end; k += TILE_K) {
    copied += copy_blocks(group, row, column, k, index);
    workgroupBarrier();
    if (subgroup < WORKERS) {
      for (var i = k_group * UNIT_K; i < TILE_K; i += K_GROUPS * UNIT_K) {
        let a_at = select(part_row * A_STRIDE + i / 4u, i * A_STRIDE + part_row / 4u, TRANSPOSE_A);
        let b_at = select(i * B_STRIDE + part_column / 4u, part_column * B_STRIDE + i / 4u, TRANSPOSE_B);
        multiply_part(a_at, b_at, &sum);
      }
    }
    workgroupBarrier();
  }

#if row_sums
  if (tile.x == 0u) {
    row_parts[index] = copied;
    workgroupBarrier();
    if (index < A_QUADS) {
      for (var i = index + A_QUADS; i < INVOCATIONS; i += A_QUADS) {
        copied += row_parts[i];
      }
      store_row_sums(tile.z, row + index * 4u, copied);
    }
  }
#end
  for (var y = 0u; y < UNITS_DOWN; y++) {
    if (subgroup < WORKERS) {
      stage_units(subgroup * STRIP / 4u, y, &sum);
    }
    workgroupBarrier();
    for (var i = index; i < PARTS * STRIP / 4u; i += INVOCATIONS) {
      let part = i / (STRIP / 4u);
      let r = row + part / SUBGROUP_COLUMNS * PART_M + y * UNIT_M + i % (STRIP / 4u) / (PART_N / 4u);
      let c = column + part % SUBGROUP_COLUMNS * PART_N + i % (PART_N / 4u) * 4u;
      var sum_of_groups = stage[i];
#for G in 1..K_GROUPS
      sum_of_groups += stage[i + G * PARTS * STRIP / 4u];
#end
      if (r < M && c < N) {
        finish(tile.z * M + r, c, sum_of_groups);
      }
    }
    workgroupBarrier();
  }
}
