// The operations on matrix units of the attention kernels, the only place here that speaks their experimental syntax
// (Dawn, 2026: extents are written columns first, and a layout is a template argument).
//
// A product of units is [UNIT_M, UNIT_K] · [UNIT_K, UNIT_N], operands in f16, sums in f32; all invocations of a
// subgroup hold a matrix together and must call these functions together. Operands lie in `halves`, sums pass through
// `stage`, both in workgroup memory and in elements of four numbers, in which starts and strides are counted too.
//
// Arrays of units are indexed by constants only: a loop that a compiler does not unroll keeps an array in memory instead
// of registers.
//
// Header: UNIT_M, UNIT_N, UNIT_K (an entry of the adapter's subgroupMatrixConfigs), DEPTH (channels of a head, rounded
// up to whole units).

enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

alias LeftUnit = subgroup_matrix_left<f16, UNIT_K, UNIT_M>;
alias RightUnit = subgroup_matrix_right<f16, UNIT_N, UNIT_K>;
alias SumUnit = subgroup_matrix_result<f32, UNIT_N, UNIT_M>;
// UNIT_M rows of DEPTH channels: as a left operand, and as sums.
alias Lefts = array<LeftUnit, LEFTS>;
alias Sums = array<SumUnit, SUMS>;

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
#for I in 0..DEPTH / UNIT_K
  (*left)[I] = load_left(at + I * LEFT_STEP, stride);
#end
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
#for I in 0..DEPTH / UNIT_K
  step_dots((*left)[I], at + I * LEFT_STEP, far, stride, &a, &b);
#end
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
#for I in 0..DEPTH / UNIT_K
  step_two(load_left(left + I * LEFT_STEP, stride), at + I * LEFT_STEP, (*other)[I], other_at + I * LEFT_STEP, stride, &a, &b);
#end
  store_sum(stage_at, stage_stride, a);
  store_sum(other_stage_at, stage_stride, b);
}

// sum += left · UNIT_K rows of DEPTH channels in `halves` from `at` on.
fn add_rows(left: LeftUnit, at: u32, stride: u32, sum: ptr<function, Sums>) {
#for I in 0..DEPTH / UNIT_N
  (*sum)[I] = multiply_add(left, load_right(at + I * SUM_STEP, stride), (*sum)[I]);
#end
}

// The same of rows that were turned, so that UNIT_K rows are columns of `halves`, and channels are rows: units load what
// lies along their common extent fastest.
fn add_turned(left: LeftUnit, at: u32, stride: u32, sum: ptr<function, Sums>) {
  let step = UNIT_N * stride;
#for I in 0..DEPTH / UNIT_N
  (*sum)[I] = multiply_add(left, load_right_transposed(at + I * step, stride), (*sum)[I]);
#end
}

fn store_sums(at: u32, stride: u32, sum: ptr<function, Sums>) {
#for I in 0..DEPTH / UNIT_N
  store_sum(at + I * SUM_STEP, stride, (*sum)[I]);
#end
}

fn load_sums(at: u32, stride: u32, sum: ptr<function, Sums>) {
#for I in 0..DEPTH / UNIT_N
  (*sum)[I] = load_sum(at + I * SUM_STEP, stride);
#end
}
