// Products for the attention kernels in which a subgroup shares what it loads: attention-subgroup-broadcast.wgsl and the
// two attention-backward-…-subgroup-broadcast.wgsl; attention-few-keys.wgsl has its blocks from here. Why, and what loads
// cost on a processor, says matmul-subgroup-broadcast.wgsl.
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

// The places of a block are those of rows i · LANES + lane; compilers for processors take nothing out of loops, so that
// they are worked out in front of them.
alias BlockPlaces = array<u32, LOADS>;

fn block_places(rows: Rows, row: u32, lane: u32) -> BlockPlaces {
  var places: BlockPlaces = BlockPlaces();
#for I in 0..(ROWS + LANES - 1) / LANES
  places[I] = rows.start + min(row + I * LANES + lane, rows.last) * rows.stride;
#end
  return places;
}

// Vec4 c of a block.
fn block_parts(source: ptr<storage, array<Element>, read>, places: ptr<function, BlockPlaces>, c: u32) -> Parts {
  var parts: Parts = Parts();
#for I in 0..(ROWS + LANES - 1) / LANES
  parts[I] = load_vec4(source, (*places)[I], c);
#end
  return parts;
}

fn four_places(rows: Rows, row: u32) -> vec4u {
  return rows.start + min(row + STEPS, vec4u(rows.last)) * rows.stride;
}

// Vec4 c of four rows, a column each.
fn four_rows(source: ptr<storage, array<Element>, read>, places: vec4u, c: u32) -> mat4x4f {
  return mat4x4f(load_vec4(source, places.x, c), load_vec4(source, places.y, c),
                 load_vec4(source, places.z, c), load_vec4(source, places.w, c));
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
  var a_places = block_places(a_rows, a_row, lane);
  let b_places = four_places(b_rows, b_row + 4u * lane);
  let count = rolled(VEC4S);
  for (var c = 0u; c < count; c++) {
    let step_rows = transpose(four_rows(b, b_places, c));
    var parts = block_parts(a, &a_places, c);
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
  let count = rolled(LANES);
  for (var owner = 0u; owner < count; owner++) {
    let places = four_places(b_rows, b_row + 4u * owner);
    var values: Values = Values();
    for (var share = 0u; share < SHARES; share++) {
      values[share] = four_rows(b, places, min(share * LANES + lane, VEC4S - 1u));
    }
#for ROW in 0..ROWS
    add_weighted_row(ROW, owner, weights, &values, sum);
#end
  }
}
