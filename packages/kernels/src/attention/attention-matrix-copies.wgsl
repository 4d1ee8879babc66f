// How rows come from storage to `halves`, rounded to f16, for the attention kernels on matrix units.
//
// Several loads are under way before the first is waited for, and written out: compilers leave loops with arrays of
// loads rolled, and a loop that loads and stores one element at a time waits for memory at each.
//
// Header: INVOCATIONS; attention-rows.wgsl. The array halves is the kernel's.

// All in elements of four. Rows are longer than they need be, or else a column would lie in a few banks.
const VEC4S = DEPTH / 4u;
const STRIDE = VEC4S + 2u;
// Invocations that share a row of the stage: a quad, in which every subgroup holds its invocations.
const SHARERS = 4u;
const ROWS_AT_ONCE = INVOCATIONS / SHARERS;

fn indexed_vec4(source: ptr<storage, array<Element>, read>, rows: Rows, row: u32, i: u32) -> vec4f {
  return row_vec4(source, rows, row + i / VEC4S, i % VEC4S);
}

fn store_halves(first: u32, i: u32, count: u32, value: vec4f) {
  if (count % (4u * INVOCATIONS) == 0u || i < count) {
    halves[first + i / VEC4S * STRIDE + i % VEC4S] = vec4h(value);
  }
}

// `count` rows from `row` on, to `first`.
fn copy_rows(source: ptr<storage, array<Element>, read>, rows: Rows, row: u32, count: u32, first: u32, index: u32) {
  let end = count * VEC4S;
  for (var i = index; i < rolled(end); i += 4u * INVOCATIONS) {
    let x0 = indexed_vec4(source, rows, row, i);
    let x1 = indexed_vec4(source, rows, row, i + INVOCATIONS);
    let x2 = indexed_vec4(source, rows, row, i + 2u * INVOCATIONS);
    let x3 = indexed_vec4(source, rows, row, i + 3u * INVOCATIONS);
    store_halves(first, i, end, x0);
    store_halves(first, i + INVOCATIONS, end, x1);
    store_halves(first, i + 2u * INVOCATIONS, end, x2);
    store_halves(first, i + 3u * INVOCATIONS, end, x3);
  }
}

// `count` rows from `row` on, turned: to rows of one channel each, `stride` apart from `first` on. Pieces of 4 × 4 are
// dealt out by four along the channels, then along the rows: neighbouring invocations load from few rows and store to
// different banks.
fn copy_turned(source: ptr<storage, array<Element>, read>, rows: Rows, row: u32, count: u32, first: u32, stride: u32, index: u32) {
  let pieces = count / 4u;
  let end = (VEC4S + 3u) / 4u * 4u * pieces;
  for (var i = index; i < rolled(end); i += INVOCATIONS) {
    let c = i / (4u * pieces) * 4u + i % 4u;
    let piece = i / 4u % pieces;
    if (VEC4S % 4u == 0u || c < VEC4S) {
      let from_row = 4u * piece * VEC4S + c;
      let turned = transpose(mat4x4f(
        indexed_vec4(source, rows, row, from_row),
        indexed_vec4(source, rows, row, from_row + VEC4S),
        indexed_vec4(source, rows, row, from_row + 2u * VEC4S),
        indexed_vec4(source, rows, row, from_row + 3u * VEC4S),
      ));
      let at = first + 4u * c * stride + piece;
      halves[at] = vec4h(turned[0]);
      halves[at + stride] = vec4h(turned[1]);
      halves[at + 2u * stride] = vec4h(turned[2]);
      halves[at + 3u * stride] = vec4h(turned[3]);
    }
  }
}

// The same rows of two arrays, `a` to a_first and `b` to b_first.
fn copy_two(
  a: ptr<storage, array<Element>, read>,
  a_rows: Rows,
  a_first: u32,
  b: ptr<storage, array<Element>, read>,
  b_rows: Rows,
  b_first: u32,
  row: u32,
  count: u32,
  index: u32,
) {
  let end = count * VEC4S;
  for (var i = index; i < rolled(end); i += 4u * INVOCATIONS) {
    let a0 = indexed_vec4(a, a_rows, row, i);
    let a1 = indexed_vec4(a, a_rows, row, i + INVOCATIONS);
    let a2 = indexed_vec4(a, a_rows, row, i + 2u * INVOCATIONS);
    let a3 = indexed_vec4(a, a_rows, row, i + 3u * INVOCATIONS);
    let b0 = indexed_vec4(b, b_rows, row, i);
    let b1 = indexed_vec4(b, b_rows, row, i + INVOCATIONS);
    let b2 = indexed_vec4(b, b_rows, row, i + 2u * INVOCATIONS);
    let b3 = indexed_vec4(b, b_rows, row, i + 3u * INVOCATIONS);
    store_halves(a_first, i, end, a0);
    store_halves(a_first, i + INVOCATIONS, end, a1);
    store_halves(a_first, i + 2u * INVOCATIONS, end, a2);
    store_halves(a_first, i + 3u * INVOCATIONS, end, a3);
    store_halves(b_first, i, end, b0);
    store_halves(b_first, i + INVOCATIONS, end, b1);
    store_halves(b_first, i + 2u * INVOCATIONS, end, b2);
    store_halves(b_first, i + 3u * INVOCATIONS, end, b3);
  }
}
