// An output of rows whose every element comes from the elements of the inputs at the same place:
// out[r, c] = VALUE; with ACCUMULATE, out += the same. Arrays of f16 are computed with in f32.
//
// elementwise.ts puts in the declarations of the inputs, where their rows begin (STARTS), their elements (ELEMENTS) and
// the expression (VALUE).
// Header: Element (f32 or vec4f; COLUMNS, strides and offsets count Elements), ROWS, COLUMNS, COLUMN_BITS, IS_LONG,
// STEP_BITS, GRID_X, ACCUMULATE, LOAD_BITS, OUT_* (row addressing); row-start.wgsl.
//
// 2^COLUMN_BITS neighbouring invocations take neighbouring Elements of one row, up to 2^LOAD_BITS each; the 64 of a
// workgroup take as many rows as they are enough for. 2^STEP_BITS of the neighbours take Elements side by side and go on
// behind them: all of them on a GPU, and on a processor as many as it works on at once, which so reads one address after
// the other. Blocks of rows lie along x and y of the grid and those of columns along z, or with IS_LONG the other way
// round, so that nothing is divided: four divisions an invocation took a fifth of the time on a software driver.

//! DECLARATIONS
#if out_f16
alias Stored = Half;
#else
alias Stored = Element;
#end
var<storage, read_write> out: array<Stored>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let linear = group.x + group.y * GRID_X;
  let row_block = select(linear, group.z, IS_LONG == 1u);
  let column_block = select(group.z, linear, IS_LONG == 1u);
  let row = (row_block << (6u - COLUMN_BITS)) + (invocation >> COLUMN_BITS);
  if (row >= ROWS) {
    return;
  }
  let neighbour = invocation & ((1u << COLUMN_BITS) - 1u);
  let first = (column_block << (COLUMN_BITS + LOAD_BITS)) + ((neighbour >> STEP_BITS) << (STEP_BITS + LOAD_BITS)) +
              (neighbour & ((1u << STEP_BITS) - 1u));
  let out_start = row_start(row, OUT_OFFSET, OUT_INNER, OUT_INVERSE, OUT_INNER_STRIDE, OUT_OUTER_STRIDE);
  //! STARTS
  for (var k = 0u; k < 1u << LOAD_BITS; k++) {
    let column = first + (k << STEP_BITS);
    if (column < COLUMNS) {
      //! ELEMENTS
      let value = Element(VALUE);
      if (ACCUMULATE) {
        out[out_start + column] = Stored(Element(out[out_start + column]) + value);
      } else {
        out[out_start + column] = Stored(value);
      }
    }
  }
}
