// Products for the attention kernels in which a subgroup shares what it loads: attention-subgroup-broadcast.wgsl and the
// two attention-backward-…-subgroup-broadcast.wgsl. Why, and what loads cost on a processor, says
// matmul-subgroup-broadcast.wgsl.
//
// A subgroup of LANES invocations keeps ROWS rows of one head and passes over the other side's rows, 4 · LANES at a time.
// Scores and what comes of them are tiles: of each kept row, the four passed rows of the invocation. Sums are of each kept
// row the quads of channels of the invocation: SHARES of them, LANES apart.
//
// Milliseconds of processor time on llvmpipe 25.0.7 with eight lanes, beside the kernels with four rows an invocation
// (attention.wgsl and its backward): 1×800×800×6×64 forward 63 against 158, backward 191 against 927; 8×101×101×8×64
// forward 16 against 28, backward 50 against 163.
//
// Header: LANES (size of every subgroup, at most 32), ROWS (8 or 16), DEPTH (head dimension in whole quads);
// matrix-quads-4.wgsl or matrix-quads-1.wgsl. The binding q is the kernel's.

const QUADS = DEPTH / 4u;
const SHARES = (QUADS + LANES - 1u) / LANES;
const PASSED = 4u * LANES;
const STEPS = vec4u(0u, 1u, 2u, 3u);

alias Values = array<mat4x4f, SHARES>;
alias Sums = array<vec4f, ROWS * SHARES>;

// The rows of one head: where they begin, lanes from one to the next, and the last, which stands in for those beyond.
struct Rows {
  head: u32,
  lanes: u32,
  last: u32,
}

// `count` in a form whose value compilers cannot tell, so that loops stay loops.
fn rolled(count: u32) -> u32 {
  return select(0u, count, arrayLength(&q) > 0u);
}

fn row_quad(source: ptr<storage, array<Lane>, read>, rows: Rows, row: u32, quad: u32) -> vec4f {
  return quad_of(source, rows.head + min(row, rows.last) * rows.lanes, quad);
}

// Four rows from `row` on, a column each.
fn four_rows(source: ptr<storage, array<Lane>, read>, rows: Rows, row: u32, quad: u32) -> mat4x4f {
  return mat4x4f(row_quad(source, rows, row, quad), row_quad(source, rows, row + 1u, quad),
                 row_quad(source, rows, row + 2u, quad), row_quad(source, rows, row + 3u, quad));
}

// Of kept rows of `a`, from a_row on, the products with the invocation's four passed rows of `b`, from b_row on.
fn products(
  a: ptr<storage, array<Lane>, read>,
  a_rows: Rows,
  a_row: u32,
  b: ptr<storage, array<Lane>, read>,
  b_rows: Rows,
  b_row: u32,
  lane: u32,
) -> Tile {
  var tile: Tile = Tile();
  for (var quad = 0u; quad < rolled(QUADS); quad++) {
    let passed = transpose(four_rows(b, b_rows, b_row + 4u * lane, quad));
    var kept: Parts = Parts();
    for (var i = 0u; i < LOADS; i++) {
      kept[i] = row_quad(a, a_rows, a_row + i * LANES + lane, quad);
    }
    add_rows(passed, &kept, &tile);
  }
  return tile;
}

fn add_weighted_row(row: u32, owner: u32, weights: ptr<function, Tile>, values: ptr<function, Values>, sum: ptr<function, Sums>) {
  let weight = subgroupShuffle((*weights)[row], owner);
  for (var share = 0u; share < SHARES; share++) {
    (*sum)[row * SHARES + share] += (*values)[share] * weight;
  }
}

// Adds to the sums of each kept row the passed rows of `b`, from b_row on, times its weights.
fn add_weighted(
  weights: ptr<function, Tile>,
  b: ptr<storage, array<Lane>, read>,
  b_rows: Rows,
  b_row: u32,
  lane: u32,
  sum: ptr<function, Sums>,
) {
  for (var owner = 0u; owner < rolled(LANES); owner++) {
    var values: Values = Values();
    for (var share = 0u; share < SHARES; share++) {
      values[share] = four_rows(b, b_rows, b_row + 4u * owner, min(share * LANES + lane, QUADS - 1u));
    }
    add_weighted_row(0u, owner, weights, &values, sum);
    add_weighted_row(1u, owner, weights, &values, sum);
    add_weighted_row(2u, owner, weights, &values, sum);
    add_weighted_row(3u, owner, weights, &values, sum);
    add_weighted_row(4u, owner, weights, &values, sum);
    add_weighted_row(5u, owner, weights, &values, sum);
    add_weighted_row(6u, owner, weights, &values, sum);
    add_weighted_row(7u, owner, weights, &values, sum);
    if (ROWS > 8u) {
      add_weighted_row(8u, owner, weights, &values, sum);
      add_weighted_row(9u, owner, weights, &values, sum);
      add_weighted_row(10u, owner, weights, &values, sum);
      add_weighted_row(11u, owner, weights, &values, sum);
      add_weighted_row(12u, owner, weights, &values, sum);
      add_weighted_row(13u, owner, weights, &values, sum);
      add_weighted_row(14u, owner, weights, &values, sum);
      add_weighted_row(15u, owner, weights, &values, sum);
    }
  }
}
