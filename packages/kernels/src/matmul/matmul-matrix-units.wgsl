// Matrix product on matrix units (tensor cores), for GPUs.
//
//   out[m, n] = epilogue(Σ_k f16(op(A)[m, k]) · f16(op(B)[k, n]))
//
// Operands are rounded to f16 on their way into workgroup memory, products and sums are f32: errors are those of
// 11-bit operands (2⁻¹² each, at most; below 2⁻¹⁴ digits are lost, above 65504 a value is infinite).
//
// A workgroup owns a block of TILE_M × TILE_N elements, cut into SUBGROUP_ROWS × SUBGROUP_COLUMNS parts, one for each
// subgroup; a part is UNITS_DOWN × UNITS_ACROSS products of units, whose sums stay in registers. For every TILE_K
// steps of k the workgroup copies a block of A and one of B, each in the orientation that it has in memory: the units
// load either. Rows are PADDING elements longer than they need be, or else a column of a block would lie in a few
// banks. Single elements of a matrix cannot be reached: sums go through workgroup memory to the epilogue, a row of
// units of every subgroup at a time, which takes a fraction of the memory that the whole block would.
// Where subgroups turn out smaller than their largest size there are more of them than parts, and the rest only
// copies. Sizes follow from the units and the registers of a subgroup; no GPU has measured them yet.
// workgroup_id.z is group · SPLITS + split; split s sums k in [s · K_PER_SPLIT, (s+1) · K_PER_SPLIT).
//
// Header: M, N, K, SUBGROUP_ROWS, SUBGROUP_COLUMNS, UNITS_DOWN, UNITS_ACROSS, TILE_K (a multiple of UNIT_K and 4),
// PADDING, INVOCATIONS, SPLITS, K_PER_SPLIT (a multiple of TILE_K), TRANSPOSE_A, TRANSPOSE_B, ROW_SUMS (with TRANSPOSE_A);
// matmul-layout.wgsl, an operand file, a row-sums file, matmul-epilogue.wgsl, matmul-blocks.wgsl and
// matmul-matrix-units-operations.wgsl. Needs `enable subgroups` besides.

const PART_M = UNITS_DOWN * UNIT_M;
const PART_N = UNITS_ACROSS * UNIT_N;
const TILE_M = SUBGROUP_ROWS * PART_M;
const TILE_N = SUBGROUP_COLUMNS * PART_N;
const PARTS = SUBGROUP_ROWS * SUBGROUP_COLUMNS;

const A_ROWS = select(TILE_M, TILE_K, TRANSPOSE_A);
const A_COLUMNS = select(TILE_K, TILE_M, TRANSPOSE_A);
const A_STRIDE = A_COLUMNS + PADDING;
const B_ROWS = select(TILE_K, TILE_N, TRANSPOSE_B);
const B_COLUMNS = select(TILE_N, TILE_K, TRANSPOSE_B);
const B_STRIDE = B_COLUMNS + PADDING;
const STRIP = UNIT_M * PART_N; // elements of a row of units

var<workgroup> a_block: array<f16, A_ROWS * A_STRIDE>;
var<workgroup> b_block: array<f16, B_ROWS * B_STRIDE>;
var<workgroup> stage: array<f32, PARTS * STRIP>;
var<workgroup> row_sum: array<f32, select(4u, TILE_M, ROW_SUMS)>;

fn copy_a(group: u32, row: u32, k: u32, index: u32) {
  for (var i = index; i < A_ROWS * A_COLUMNS / 4u; i += INVOCATIONS) {
    let r = i / (A_COLUMNS / 4u);
    let c = i % (A_COLUMNS / 4u) * 4u;
    var value = vec4f(0.0);
    if (TRANSPOSE_A) {
      value = load_a_across(group, k + r, row + c);
    } else {
      value = load_a_along(group, row + r, k + c);
    }
    let rounded = vec4h(value);
    let at = r * A_STRIDE + c;
    a_block[at] = rounded.x;
    a_block[at + 1u] = rounded.y;
    a_block[at + 2u] = rounded.z;
    a_block[at + 3u] = rounded.w;
  }
}

fn copy_b(group: u32, column: u32, k: u32, index: u32) {
  for (var i = index; i < B_ROWS * B_COLUMNS / 4u; i += INVOCATIONS) {
    let r = i / (B_COLUMNS / 4u);
    let c = i % (B_COLUMNS / 4u) * 4u;
    var value = vec4f(0.0);
    if (TRANSPOSE_B) {
      value = load_b_along(group, column + r, k + c);
    } else {
      value = load_b_across(group, k + r, column + c);
    }
    let rounded = vec4h(value);
    let at = r * B_STRIDE + c;
    b_block[at] = rounded.x;
    b_block[at + 1u] = rounded.y;
    b_block[at + 2u] = rounded.z;
    b_block[at + 3u] = rounded.w;
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
  var sum: array<SumUnit, UNITS_DOWN * UNITS_ACROSS> = array<SumUnit, UNITS_DOWN * UNITS_ACROSS>();

  for (var k = k_begin; k < k_end; k += TILE_K) {
    copy_a(group, row, k, index);
    copy_b(group, column, k, index);
    workgroupBarrier();

    if (ROW_SUMS && tile.x == 0u) {
      for (var r = index; r < TILE_M; r += INVOCATIONS) {
        for (var i = 0u; i < TILE_K; i++) {
          row_sum[r] += f32(a_block[i * A_STRIDE + r]);
        }
      }
    }
    if (subgroup < PARTS) {
      for (var i = 0u; i < TILE_K; i += UNIT_K) {
        var left: array<LeftUnit, UNITS_DOWN> = array<LeftUnit, UNITS_DOWN>();
        for (var y = 0u; y < UNITS_DOWN; y++) {
          let r = part_row + y * UNIT_M;
          left[y] = load_left(select(r * A_STRIDE + i, i * A_STRIDE + r, TRANSPOSE_A), A_STRIDE, TRANSPOSE_A);
        }
        for (var x = 0u; x < UNITS_ACROSS; x++) {
          let c = part_column + x * UNIT_N;
          let right = load_right(select(i * B_STRIDE + c, c * B_STRIDE + i, TRANSPOSE_B), B_STRIDE, TRANSPOSE_B);
          for (var y = 0u; y < UNITS_DOWN; y++) {
            sum[y * UNITS_ACROSS + x] = multiply_add(left[y], right, sum[y * UNITS_ACROSS + x]);
          }
        }
      }
    }
    workgroupBarrier();
  }

  if (ROW_SUMS && tile.x == 0u) {
    for (var r = index * 4u; r < TILE_M; r += INVOCATIONS * 4u) {
      store_row_sums(tile.z, row + r, vec4f(row_sum[r], row_sum[r + 1u], row_sum[r + 2u], row_sum[r + 3u]));
    }
  }
  for (var y = 0u; y < UNITS_DOWN; y++) {
    if (subgroup < PARTS) {
      for (var x = 0u; x < UNITS_ACROSS; x++) {
        store_sum(subgroup * STRIP + x * UNIT_N, PART_N, sum[y * UNITS_ACROSS + x]);
      }
    }
    workgroupBarrier();
    for (var i = index; i < PARTS * STRIP / 4u; i += INVOCATIONS) {
      let part = i / (STRIP / 4u);
      let r = row + part / SUBGROUP_COLUMNS * PART_M + y * UNIT_M + i % (STRIP / 4u) / (PART_N / 4u);
      let c = column + part % SUBGROUP_COLUMNS * PART_N + i % (PART_N / 4u) * 4u;
      if (r < M && c < N) {
        finish(tile.z * M + r, c, vec4f(stage[i * 4u], stage[i * 4u + 1u], stage[i * 4u + 2u], stage[i * 4u + 3u]));
      }
    }
    workgroupBarrier();
  }
}
