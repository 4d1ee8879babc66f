// The operations on matrix units, the only place that speaks their experimental syntax (Dawn, 2026: extents are
// written columns first, and a layout is a template argument).
//
// A product of units is [UNIT_M, UNIT_K] · [UNIT_K, UNIT_N], operands in f16, sums in f32; all invocations of a
// subgroup hold a matrix together and must call these functions together.
// Operands and sums lie in workgroup memory: in `blocks`, of 16 bytes an element, with LOAD_WIDTH 8; else in a_block,
// b_block (vec4h) and stage (vec4f). Starts and strides are counted in elements of these arrays, which are the kernel's.
// Header: UNIT_M, UNIT_N, UNIT_K (an entry of the adapter's subgroupMatrixConfigs), LOAD_WIDTH.

enable f16;
enable chromium_experimental_subgroup_matrix;

alias LeftUnit = subgroup_matrix_left<f16, UNIT_K, UNIT_M>;
alias RightUnit = subgroup_matrix_right<f16, UNIT_N, UNIT_K>;
alias SumUnit = subgroup_matrix_result<f32, UNIT_N, UNIT_M>;

#if LOAD_WIDTH == 8
fn load_left(start: u32, stride: u32, transposed: bool) -> LeftUnit {
  if (transposed) {
    return subgroupMatrixLoad<LeftUnit, col_major>(&blocks, start, stride);
  }
  return subgroupMatrixLoad<LeftUnit, row_major>(&blocks, start, stride);
}

fn load_right(start: u32, stride: u32, transposed: bool) -> RightUnit {
  if (transposed) {
    return subgroupMatrixLoad<RightUnit, col_major>(&blocks, start, stride);
  }
  return subgroupMatrixLoad<RightUnit, row_major>(&blocks, start, stride);
}

fn store_sum(start: u32, stride: u32, sum: SumUnit) {
  subgroupMatrixStore<row_major>(&blocks, start, sum, stride);
}
#else
fn load_left(start: u32, stride: u32, transposed: bool) -> LeftUnit {
  if (transposed) {
    return subgroupMatrixLoad<LeftUnit, col_major>(&a_block, start, stride);
  }
  return subgroupMatrixLoad<LeftUnit, row_major>(&a_block, start, stride);
}

fn load_right(start: u32, stride: u32, transposed: bool) -> RightUnit {
  if (transposed) {
    return subgroupMatrixLoad<RightUnit, col_major>(&b_block, start, stride);
  }
  return subgroupMatrixLoad<RightUnit, row_major>(&b_block, start, stride);
}

fn store_sum(start: u32, stride: u32, sum: SumUnit) {
  subgroupMatrixStore<row_major>(&stage, start, sum, stride);
}
#end

fn multiply_add(left: LeftUnit, right: RightUnit, sum: SumUnit) -> SumUnit {
  return subgroupMatrixMultiplyAccumulate(left, right, sum);
}
