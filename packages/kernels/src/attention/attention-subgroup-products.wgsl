// Products for the attention kernels in which a subgroup shares what it loads: attention-subgroup-broadcast.wgsl,
// attention-few-keys.wgsl and the two attention-backward-…-subgroup-broadcast.wgsl. Why, and what loads cost on a
// processor, says matmul-subgroup-broadcast.wgsl.
//
// A subgroup of LANES invocations has a block of ROWS rows of one head and goes through the other side's rows, STEP_ROWS =
// 4 · LANES at a time. Scores and what comes of them are tiles: of each row of the block, the four rows of the step that
// are the invocation's. Sums are, of each row of the block, the vec4s of channels of the invocation: SHARES of them, LANES
// apart.
//
// Milliseconds of processor time on llvmpipe 25.0.7 with eight lanes, beside kernels without broadcasts that had four rows
// an invocation: 1×800×800×6×64 forward 63 against 158, backward 191 against 927; 8×101×101×8×64 forward 16 against 28,
// backward 50 against 163.
//
// Header: LANES (size of every subgroup, at most 32), ROWS (8 or 16), DEPTH (head dimension in whole vec4s);
// attention-rows.wgsl, subgroups/shared-rows.wgsl.

enable subgroups;

const VEC4S = DEPTH / 4u;
const SHARES = (VEC4S + LANES - 1u) / LANES;
const STEP_ROWS = 4u * LANES;

alias Values = array<mat4x4f, SHARES>;
alias Sums = array<vec4f, ROWS * SHARES>;

// Four rows from `row` on, a column each.
fn four_rows(source: ptr<storage, array<Element>, read>, rows: Rows, row: u32, c: u32) -> mat4x4f {
  return mat4x4f(row_vec4(source, rows, row, c), row_vec4(source, rows, row + 1u, c),
                 row_vec4(source, rows, row + 2u, c), row_vec4(source, rows, row + 3u, c));
}

// Vec4 c of a block of `a`, row i · LANES + lane in invocation `lane`.
fn block_parts(a: ptr<storage, array<Element>, read>, a_rows: Rows, a_row: u32, c: u32, lane: u32) -> Parts {
  var parts: Parts = Parts();
  for (var i = 0u; i < LOADS; i++) {
    parts[i] = row_vec4(a, a_rows, a_row + i * LANES + lane, c);
  }
  return parts;
}

// The products of a block of `a`, from a_row on, with the invocation's four rows of `b`, of a step from b_row on.
fn products(
  a: ptr<storage, array<Element>, read>,
  a_rows: Rows,
  a_row: u32,
  b: ptr<storage, array<Element>, read>,
  b_rows: Rows,
  b_row: u32,
  lane: u32,
) -> Tile {
  var tile: Tile = Tile();
  for (var c = 0u; c < rolled(VEC4S); c++) {
    let step_rows = transpose(four_rows(b, b_rows, b_row + 4u * lane, c));
    var parts = block_parts(a, a_rows, a_row, c, lane);
    add_rows(step_rows, &parts, &tile);
  }
  return tile;
}

fn add_weighted_row(row: u32, owner: u32, weights: ptr<function, Tile>, values: ptr<function, Values>, sum: ptr<function, Sums>) {
  let weight = subgroupShuffle((*weights)[row], owner);
  for (var share = 0u; share < SHARES; share++) {
    (*sum)[row * SHARES + share] += (*values)[share] * weight;
  }
}

// Adds to the sums of each row of the block the rows of `b`, of a step from b_row on, times its weights.
fn add_weighted(
  weights: ptr<function, Tile>,
  b: ptr<storage, array<Element>, read>,
  b_rows: Rows,
  b_row: u32,
  lane: u32,
  sum: ptr<function, Sums>,
) {
  for (var owner = 0u; owner < rolled(LANES); owner++) {
    var values: Values = Values();
    for (var share = 0u; share < SHARES; share++) {
      values[share] = four_rows(b, b_rows, b_row + 4u * owner, min(share * LANES + lane, VEC4S - 1u));
    }
#for ROW in 0..ROWS
    add_weighted_row(ROW, owner, weights, &values, sum);
#end
  }
}
