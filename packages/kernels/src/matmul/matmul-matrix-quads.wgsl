// Copies of the blocks of A and B for matmul-matrix-units.wgsl, four elements at a time, or one by one where rows are not
// multiples of four: whatever operands are stored in, and however they lie. A step of k copies a block of each, waits for
// all of it, multiplies, and waits again.
//
// Header: that of matmul-matrix-units.wgsl; matmul-blocks.wgsl.

// Elements of an operand in one of workgroup memory.
const GRAIN = 4u;
const STAGED = 1u;

// Whether every copy of every invocation is one of both blocks.
const COPIES_EXACT = A_SIZE == B_SIZE && A_SIZE % (4u * INVOCATIONS) == 0u;

var<workgroup> a_block: array<vec4h, A_ROWS * A_STRIDE>;
var<workgroup> b_block: array<vec4h, B_ROWS * B_STRIDE>;
var<workgroup> stage: array<vec4f, STAGE>;
#if row_sums
// What each invocation has of the sums of rows; those of a row are A_WIDTH invocations apart.
var<workgroup> row_parts: array<vec4f, INVOCATIONS>;
const_assert INVOCATIONS % A_WIDTH == 0u;
#end

// The sum of what an invocation copied of A, not rounded and all from the same rows of op(A).
alias RowParts = vec4f;

fn load_a_quad(group: u32, row: u32, k: u32, i: u32) -> vec4f {
  let r = i / A_WIDTH;
  let c = i % A_WIDTH * 4u;
  if (TRANSPOSE_A) {
    return load_a_across(group, k + r, row + c);
  }
  return load_a_along(group, row + r, k + c);
}

fn load_b_quad(group: u32, column: u32, k: u32, i: u32) -> vec4f {
  let r = i / B_WIDTH;
  let c = i % B_WIDTH * 4u;
  if (TRANSPOSE_B) {
    return load_b_along(group, column + r, k + c);
  }
  return load_b_across(group, k + r, column + c);
}

fn store_a_quad(i: u32, value: vec4f) {
  if (COPIES_EXACT || i < A_SIZE) {
    a_block[i / A_WIDTH * A_STRIDE + i % A_WIDTH] = vec4h(value);
  }
}

fn store_b_quad(i: u32, value: vec4f) {
  if (COPIES_EXACT || i < B_SIZE) {
    b_block[i / B_WIDTH * B_STRIDE + i % B_WIDTH] = vec4h(value);
  }
}

// Eight loads are under way before the first store waits for one: in a loop of a load and a store each takes a trip to
// memory after the other.
fn copy_blocks(
  group: u32,
  row: u32,
  column: u32,
  k: u32,
  sums_rows: bool,
  index: u32,
  parts: ptr<function, RowParts>,
) {
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
    if (sums_rows) {
#for I in 0..4
      *parts += select(vec4f(0.0), a{I}, i + I * INVOCATIONS < A_SIZE);
#end
    }
#end
  }
}

fn add_products(
  group: u32,
  row: u32,
  column: u32,
  k_begin: u32,
  k_end: u32,
  sums_rows: bool,
  index: u32,
  subgroup: u32,
  sum: ptr<function, Sums>,
  parts: ptr<function, RowParts>,
) {
  for (var k = k_begin; k < k_end; k += TILE_K) {
    copy_blocks(group, row, column, k, sums_rows, index, parts);
    workgroupBarrier();
    multiply_blocks(0u, 0u, subgroup, sum);
    workgroupBarrier();
  }
}

#if row_sums
fn finish_row_sums(z: u32, row: u32, index: u32, parts: RowParts) {
  row_parts[index] = parts;
  workgroupBarrier();
  if (index < A_WIDTH) {
    var all = parts;
    for (var i = index + A_WIDTH; i < INVOCATIONS; i += A_WIDTH) {
      all += row_parts[i];
    }
    store_row_sums(z, row + index * 4u, all);
  }
}
#end

fn staged(i: u32) -> vec4f {
  return stage[i];
}
