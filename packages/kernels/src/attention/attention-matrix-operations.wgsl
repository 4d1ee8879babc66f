// The operations on matrix units of the attention kernels, the only place here that speaks their experimental syntax
// (Dawn, 2026: extents are written columns first, and a layout is a template argument).
//
// A product of units is [UNIT_M, UNIT_K] · [UNIT_K, UNIT_N], operands in f16, sums in f32; all invocations of a
// subgroup hold a matrix together and must call these functions together. Operands lie in `halves`, sums pass through
// `stage`, both in workgroup memory and in elements of four numbers, in which starts and strides are counted too.
//
// Arrays of units are indexed by constants only, in lists written out for eight units of which those not wanted fall
// away: a loop that a compiler does not unroll keeps an array in memory instead of registers.
//
// Header: UNIT_M, UNIT_N, UNIT_K (an entry of the adapter's subgroupMatrixConfigs), DEPTH (channels of a head, rounded
// up to whole units). Needs `enable f16` and `enable chromium_experimental_subgroup_matrix`.

alias LeftUnit = subgroup_matrix_left<f16, UNIT_K, UNIT_M>;
alias RightUnit = subgroup_matrix_right<f16, UNIT_N, UNIT_K>;
alias SumUnit = subgroup_matrix_result<f32, UNIT_N, UNIT_M>;
// UNIT_M rows of DEPTH channels: as a left operand, and as sums.
alias Lefts = array<LeftUnit, 8>;
alias Sums = array<SumUnit, 8>;

const LEFTS = DEPTH / UNIT_K;
const SUMS = DEPTH / UNIT_N;
const LEFT_STEP = UNIT_K / 4u;
const SUM_STEP = UNIT_N / 4u;

fn load_left(start: u32, stride: u32) -> LeftUnit {
  return subgroupMatrixLoad<LeftUnit, row_major>(&halves, start, stride);
}

fn load_left_transposed(start: u32, stride: u32) -> LeftUnit {
  return subgroupMatrixLoad<LeftUnit, col_major>(&halves, start, stride);
}

fn load_right(start: u32, stride: u32) -> RightUnit {
  return subgroupMatrixLoad<RightUnit, row_major>(&halves, start, stride);
}

fn load_right_transposed(start: u32, stride: u32) -> RightUnit {
  return subgroupMatrixLoad<RightUnit, col_major>(&halves, start, stride);
}

fn multiply_add(left: LeftUnit, right: RightUnit, sum: SumUnit) -> SumUnit {
  return subgroupMatrixMultiplyAccumulate(left, right, sum);
}

fn load_sum(start: u32, stride: u32) -> SumUnit {
  return subgroupMatrixLoad<SumUnit, row_major>(&stage, start, stride);
}

fn store_sum(start: u32, stride: u32, sum: SumUnit) {
  subgroupMatrixStore<row_major>(&stage, start, sum, stride);
}

fn load_lefts(at: u32, stride: u32, left: ptr<function, Lefts>) {
  (*left)[0] = load_left(at, stride);
  if (LEFTS > 1u) { (*left)[1] = load_left(at + 1u * LEFT_STEP, stride); }
  if (LEFTS > 2u) { (*left)[2] = load_left(at + 2u * LEFT_STEP, stride); }
  if (LEFTS > 3u) { (*left)[3] = load_left(at + 3u * LEFT_STEP, stride); }
  if (LEFTS > 4u) { (*left)[4] = load_left(at + 4u * LEFT_STEP, stride); }
  if (LEFTS > 5u) { (*left)[5] = load_left(at + 5u * LEFT_STEP, stride); }
  if (LEFTS > 6u) { (*left)[6] = load_left(at + 6u * LEFT_STEP, stride); }
  if (LEFTS > 7u) { (*left)[7] = load_left(at + 7u * LEFT_STEP, stride); }
}

fn step_dots(left: LeftUnit, at: u32, far: u32, stride: u32, near_sum: ptr<function, SumUnit>, far_sum: ptr<function, SumUnit>) {
  let near_right = load_right_transposed(at, stride);
  let far_right = load_right_transposed(at + far, stride);
  *near_sum = multiply_add(left, near_right, *near_sum);
  *far_sum = multiply_add(left, far_right, *far_sum);
}

// The products of UNIT_M rows with 2 · UNIT_N rows of `halves` from `at` on, along their channels, into the stage. Two
// units at once, so that a product need not wait for the one before it.
fn dots(left: ptr<function, Lefts>, at: u32, stride: u32, stage_at: u32, stage_stride: u32) {
  let far = UNIT_N * stride;
  var a: SumUnit = SumUnit();
  var b: SumUnit = SumUnit();
  step_dots((*left)[0], at, far, stride, &a, &b);
  if (LEFTS > 1u) { step_dots((*left)[1], at + 1u * LEFT_STEP, far, stride, &a, &b); }
  if (LEFTS > 2u) { step_dots((*left)[2], at + 2u * LEFT_STEP, far, stride, &a, &b); }
  if (LEFTS > 3u) { step_dots((*left)[3], at + 3u * LEFT_STEP, far, stride, &a, &b); }
  if (LEFTS > 4u) { step_dots((*left)[4], at + 4u * LEFT_STEP, far, stride, &a, &b); }
  if (LEFTS > 5u) { step_dots((*left)[5], at + 5u * LEFT_STEP, far, stride, &a, &b); }
  if (LEFTS > 6u) { step_dots((*left)[6], at + 6u * LEFT_STEP, far, stride, &a, &b); }
  if (LEFTS > 7u) { step_dots((*left)[7], at + 7u * LEFT_STEP, far, stride, &a, &b); }
  store_sum(stage_at, stage_stride, a);
  store_sum(stage_at + SUM_STEP, stage_stride, b);
}

fn step_two(a: LeftUnit, a_at: u32, b: LeftUnit, b_at: u32, stride: u32, a_sum: ptr<function, SumUnit>, b_sum: ptr<function, SumUnit>) {
  let a_right = load_right_transposed(a_at, stride);
  let b_right = load_right_transposed(b_at, stride);
  *a_sum = multiply_add(a, a_right, *a_sum);
  *b_sum = multiply_add(b, b_right, *b_sum);
}

// The products of UNIT_M rows at `left` with UNIT_N rows at `at`, and of those in `other` with the rows at other_at.
fn dots_of_two(left: u32, at: u32, other: ptr<function, Lefts>, other_at: u32, stride: u32, stage_at: u32, other_stage_at: u32, stage_stride: u32) {
  var a: SumUnit = SumUnit();
  var b: SumUnit = SumUnit();
  step_two(load_left(left, stride), at, (*other)[0], other_at, stride, &a, &b);
  if (LEFTS > 1u) { step_two(load_left(left + 1u * LEFT_STEP, stride), at + 1u * LEFT_STEP, (*other)[1], other_at + 1u * LEFT_STEP, stride, &a, &b); }
  if (LEFTS > 2u) { step_two(load_left(left + 2u * LEFT_STEP, stride), at + 2u * LEFT_STEP, (*other)[2], other_at + 2u * LEFT_STEP, stride, &a, &b); }
  if (LEFTS > 3u) { step_two(load_left(left + 3u * LEFT_STEP, stride), at + 3u * LEFT_STEP, (*other)[3], other_at + 3u * LEFT_STEP, stride, &a, &b); }
  if (LEFTS > 4u) { step_two(load_left(left + 4u * LEFT_STEP, stride), at + 4u * LEFT_STEP, (*other)[4], other_at + 4u * LEFT_STEP, stride, &a, &b); }
  if (LEFTS > 5u) { step_two(load_left(left + 5u * LEFT_STEP, stride), at + 5u * LEFT_STEP, (*other)[5], other_at + 5u * LEFT_STEP, stride, &a, &b); }
  if (LEFTS > 6u) { step_two(load_left(left + 6u * LEFT_STEP, stride), at + 6u * LEFT_STEP, (*other)[6], other_at + 6u * LEFT_STEP, stride, &a, &b); }
  if (LEFTS > 7u) { step_two(load_left(left + 7u * LEFT_STEP, stride), at + 7u * LEFT_STEP, (*other)[7], other_at + 7u * LEFT_STEP, stride, &a, &b); }
  store_sum(stage_at, stage_stride, a);
  store_sum(other_stage_at, stage_stride, b);
}

// sum += left · UNIT_K rows of DEPTH channels in `halves` from `at` on.
fn add_rows(left: LeftUnit, at: u32, stride: u32, sum: ptr<function, Sums>) {
  (*sum)[0] = multiply_add(left, load_right(at, stride), (*sum)[0]);
  if (SUMS > 1u) { (*sum)[1] = multiply_add(left, load_right(at + 1u * SUM_STEP, stride), (*sum)[1]); }
  if (SUMS > 2u) { (*sum)[2] = multiply_add(left, load_right(at + 2u * SUM_STEP, stride), (*sum)[2]); }
  if (SUMS > 3u) { (*sum)[3] = multiply_add(left, load_right(at + 3u * SUM_STEP, stride), (*sum)[3]); }
  if (SUMS > 4u) { (*sum)[4] = multiply_add(left, load_right(at + 4u * SUM_STEP, stride), (*sum)[4]); }
  if (SUMS > 5u) { (*sum)[5] = multiply_add(left, load_right(at + 5u * SUM_STEP, stride), (*sum)[5]); }
  if (SUMS > 6u) { (*sum)[6] = multiply_add(left, load_right(at + 6u * SUM_STEP, stride), (*sum)[6]); }
  if (SUMS > 7u) { (*sum)[7] = multiply_add(left, load_right(at + 7u * SUM_STEP, stride), (*sum)[7]); }
}

// The same of rows that were turned, so that UNIT_K rows are columns of `halves`, and channels are rows: units load what
// lies along their common extent fastest.
fn add_turned(left: LeftUnit, at: u32, stride: u32, sum: ptr<function, Sums>) {
  let step = UNIT_N * stride;
  (*sum)[0] = multiply_add(left, load_right_transposed(at, stride), (*sum)[0]);
  if (SUMS > 1u) { (*sum)[1] = multiply_add(left, load_right_transposed(at + 1u * step, stride), (*sum)[1]); }
  if (SUMS > 2u) { (*sum)[2] = multiply_add(left, load_right_transposed(at + 2u * step, stride), (*sum)[2]); }
  if (SUMS > 3u) { (*sum)[3] = multiply_add(left, load_right_transposed(at + 3u * step, stride), (*sum)[3]); }
  if (SUMS > 4u) { (*sum)[4] = multiply_add(left, load_right_transposed(at + 4u * step, stride), (*sum)[4]); }
  if (SUMS > 5u) { (*sum)[5] = multiply_add(left, load_right_transposed(at + 5u * step, stride), (*sum)[5]); }
  if (SUMS > 6u) { (*sum)[6] = multiply_add(left, load_right_transposed(at + 6u * step, stride), (*sum)[6]); }
  if (SUMS > 7u) { (*sum)[7] = multiply_add(left, load_right_transposed(at + 7u * step, stride), (*sum)[7]); }
}

fn store_sums(at: u32, stride: u32, sum: ptr<function, Sums>) {
  store_sum(at, stride, (*sum)[0]);
  if (SUMS > 1u) { store_sum(at + 1u * SUM_STEP, stride, (*sum)[1]); }
  if (SUMS > 2u) { store_sum(at + 2u * SUM_STEP, stride, (*sum)[2]); }
  if (SUMS > 3u) { store_sum(at + 3u * SUM_STEP, stride, (*sum)[3]); }
  if (SUMS > 4u) { store_sum(at + 4u * SUM_STEP, stride, (*sum)[4]); }
  if (SUMS > 5u) { store_sum(at + 5u * SUM_STEP, stride, (*sum)[5]); }
  if (SUMS > 6u) { store_sum(at + 6u * SUM_STEP, stride, (*sum)[6]); }
  if (SUMS > 7u) { store_sum(at + 7u * SUM_STEP, stride, (*sum)[7]); }
}

fn load_sums(at: u32, stride: u32, sum: ptr<function, Sums>) {
  (*sum)[0] = load_sum(at, stride);
  if (SUMS > 1u) { (*sum)[1] = load_sum(at + 1u * SUM_STEP, stride); }
  if (SUMS > 2u) { (*sum)[2] = load_sum(at + 2u * SUM_STEP, stride); }
  if (SUMS > 3u) { (*sum)[3] = load_sum(at + 3u * SUM_STEP, stride); }
  if (SUMS > 4u) { (*sum)[4] = load_sum(at + 4u * SUM_STEP, stride); }
  if (SUMS > 5u) { (*sum)[5] = load_sum(at + 5u * SUM_STEP, stride); }
  if (SUMS > 6u) { (*sum)[6] = load_sum(at + 6u * SUM_STEP, stride); }
  if (SUMS > 7u) { (*sum)[7] = load_sum(at + 7u * SUM_STEP, stride); }
}
