// Rows that a subgroup shares: they lie in its invocations one after the other, a vec4 of each, and reach the others by
// broadcasts. Put in front of the kernels that are called subgroup-broadcast; why they are made so, and what loads cost
// on a processor, says matmul-subgroup-broadcast.wgsl.
//
// Header: LANES (size of every subgroup, at most 32), ROWS (8, 16 or 32). Needs `enable subgroups`.

const LOADS = (ROWS + LANES - 1u) / LANES;

// What an invocation holds for all: row i · LANES + its own number.
alias Parts = array<vec4f, LOADS>;
// Of each row, what the invocation makes of it.
alias Tile = array<vec4f, ROWS>;

fn part(a: ptr<function, Parts>, i: u32) -> vec4f {
  return (*a)[i];
}

fn add_row(b: mat4x4f, a: vec4f, row: u32, tile: ptr<function, Tile>) {
  (*tile)[row] += b * a;
}

// b · a of every row. Which invocation is asked must be a constant.
fn add_rows(b: mat4x4f, a: ptr<function, Parts>, tile: ptr<function, Tile>) {
  add_row(b, subgroupBroadcast(part(a, 0u / LANES), 0u % LANES), 0u, tile);
  add_row(b, subgroupBroadcast(part(a, 1u / LANES), 1u % LANES), 1u, tile);
  add_row(b, subgroupBroadcast(part(a, 2u / LANES), 2u % LANES), 2u, tile);
  add_row(b, subgroupBroadcast(part(a, 3u / LANES), 3u % LANES), 3u, tile);
  add_row(b, subgroupBroadcast(part(a, 4u / LANES), 4u % LANES), 4u, tile);
  add_row(b, subgroupBroadcast(part(a, 5u / LANES), 5u % LANES), 5u, tile);
  add_row(b, subgroupBroadcast(part(a, 6u / LANES), 6u % LANES), 6u, tile);
  add_row(b, subgroupBroadcast(part(a, 7u / LANES), 7u % LANES), 7u, tile);
  if (ROWS > 8u) {
    add_row(b, subgroupBroadcast(part(a, 8u / LANES), 8u % LANES), 8u, tile);
    add_row(b, subgroupBroadcast(part(a, 9u / LANES), 9u % LANES), 9u, tile);
    add_row(b, subgroupBroadcast(part(a, 10u / LANES), 10u % LANES), 10u, tile);
    add_row(b, subgroupBroadcast(part(a, 11u / LANES), 11u % LANES), 11u, tile);
    add_row(b, subgroupBroadcast(part(a, 12u / LANES), 12u % LANES), 12u, tile);
    add_row(b, subgroupBroadcast(part(a, 13u / LANES), 13u % LANES), 13u, tile);
    add_row(b, subgroupBroadcast(part(a, 14u / LANES), 14u % LANES), 14u, tile);
    add_row(b, subgroupBroadcast(part(a, 15u / LANES), 15u % LANES), 15u, tile);
  }
  if (ROWS > 16u) {
    add_row(b, subgroupBroadcast(part(a, 16u / LANES), 16u % LANES), 16u, tile);
    add_row(b, subgroupBroadcast(part(a, 17u / LANES), 17u % LANES), 17u, tile);
    add_row(b, subgroupBroadcast(part(a, 18u / LANES), 18u % LANES), 18u, tile);
    add_row(b, subgroupBroadcast(part(a, 19u / LANES), 19u % LANES), 19u, tile);
    add_row(b, subgroupBroadcast(part(a, 20u / LANES), 20u % LANES), 20u, tile);
    add_row(b, subgroupBroadcast(part(a, 21u / LANES), 21u % LANES), 21u, tile);
    add_row(b, subgroupBroadcast(part(a, 22u / LANES), 22u % LANES), 22u, tile);
    add_row(b, subgroupBroadcast(part(a, 23u / LANES), 23u % LANES), 23u, tile);
    add_row(b, subgroupBroadcast(part(a, 24u / LANES), 24u % LANES), 24u, tile);
    add_row(b, subgroupBroadcast(part(a, 25u / LANES), 25u % LANES), 25u, tile);
    add_row(b, subgroupBroadcast(part(a, 26u / LANES), 26u % LANES), 26u, tile);
    add_row(b, subgroupBroadcast(part(a, 27u / LANES), 27u % LANES), 27u, tile);
    add_row(b, subgroupBroadcast(part(a, 28u / LANES), 28u % LANES), 28u, tile);
    add_row(b, subgroupBroadcast(part(a, 29u / LANES), 29u % LANES), 29u, tile);
    add_row(b, subgroupBroadcast(part(a, 30u / LANES), 30u % LANES), 30u, tile);
    add_row(b, subgroupBroadcast(part(a, 31u / LANES), 31u % LANES), 31u, tile);
  }
}
