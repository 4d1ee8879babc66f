// Rows that a subgroup shares: they lie in its invocations one after the other, a vec4 of each, and reach the others by
// broadcasts. Put in front of the kernels that are called subgroup-broadcast; why they are made so, and what loads cost
// on a processor, says matmul-subgroup-broadcast.wgsl.
//
// Header: LANES (size of every subgroup, at most 32), ROWS (8, 16 or 32).

enable subgroups;

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
#for R in 0..ROWS
  add_row(b, subgroupBroadcast(part(a, R / LANES), R % LANES), R, tile);
#end
}
