// The part of a subgroup as 4 × 2 units, written out: loops over arrays of matrices that a compiler does not
// unroll keep them in memory instead of registers, which costs a factor of five.
//
// Header: A_STRIDE, B_STRIDE (vec4 of a row), UNIT_M, UNIT_N, TRANSPOSE_A, TRANSPOSE_B; matmul-matrix-units-operations.wgsl.

const UNITS_DOWN = 4u;
const UNITS_ACROSS = 2u;

alias Sums = array<SumUnit, 8>;

// One step of UNIT_K: a_at and b_at are where the part's operands begin.
fn multiply_part(a_at: u32, b_at: u32, sum: ptr<function, Sums>) {
  let a_step = select(UNIT_M * A_STRIDE, UNIT_M / 4u, TRANSPOSE_A);
  let b_step = select(UNIT_N / 4u, UNIT_N * B_STRIDE, TRANSPOSE_B);
  let left0 = load_left(a_at + 0u * a_step, A_STRIDE, TRANSPOSE_A);
  let left1 = load_left(a_at + 1u * a_step, A_STRIDE, TRANSPOSE_A);
  let left2 = load_left(a_at + 2u * a_step, A_STRIDE, TRANSPOSE_A);
  let left3 = load_left(a_at + 3u * a_step, A_STRIDE, TRANSPOSE_A);
  let right0 = load_right(b_at + 0u * b_step, B_STRIDE, TRANSPOSE_B);
  (*sum)[0] = multiply_add(left0, right0, (*sum)[0]);
  (*sum)[2] = multiply_add(left1, right0, (*sum)[2]);
  (*sum)[4] = multiply_add(left2, right0, (*sum)[4]);
  (*sum)[6] = multiply_add(left3, right0, (*sum)[6]);
  let right1 = load_right(b_at + 1u * b_step, B_STRIDE, TRANSPOSE_B);
  (*sum)[1] = multiply_add(left0, right1, (*sum)[1]);
  (*sum)[3] = multiply_add(left1, right1, (*sum)[3]);
  (*sum)[5] = multiply_add(left2, right1, (*sum)[5]);
  (*sum)[7] = multiply_add(left3, right1, (*sum)[7]);
}

// Row y of the part's units into the stage, from element `at` (a vec4) on.
fn stage_units(at: u32, y: u32, sum: ptr<function, Sums>) {
  const stride = UNITS_ACROSS * UNIT_N / 4u;
  switch y {
    case 0u: {
      store_sum(at + 0u * UNIT_N / 4u, stride, (*sum)[0]);
      store_sum(at + 1u * UNIT_N / 4u, stride, (*sum)[1]);
    }
    case 1u: {
      store_sum(at + 0u * UNIT_N / 4u, stride, (*sum)[2]);
      store_sum(at + 1u * UNIT_N / 4u, stride, (*sum)[3]);
    }
    case 2u: {
      store_sum(at + 0u * UNIT_N / 4u, stride, (*sum)[4]);
      store_sum(at + 1u * UNIT_N / 4u, stride, (*sum)[5]);
    }
    case 3u, default: {
      store_sum(at + 0u * UNIT_N / 4u, stride, (*sum)[6]);
      store_sum(at + 1u * UNIT_N / 4u, stride, (*sum)[7]);
    }
  }
}
