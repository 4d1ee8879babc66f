// Sums over the rows of many small matrices at once: sums[c] = Σ_p parts[p, c], or += where a block says so.
//
// Header: Element (f32 or vec4f; all counts and places in a block count Elements), BLOCKS, GRID_X, INVOCATIONS,
// SHARES_COLUMNS.
// A workgroup has one block: neighbouring columns of one matrix, for each of which it has an invocation, or with
// SHARES_COLUMNS several, which take every so-manieth row. Their sums are added in order: the result is the same every
// time.

struct Block {
  first: u32,
  stride: u32,
  rows: u32,
  place: u32,
  columns: u32,
  // Columns that there are invocations for; a power of two.
  width: u32,
  accumulate: u32,
}

var<storage, read> parts: array<Element>;
var<storage, read> blocks: array<Block>;
var<storage, read_write> sums: array<Element>;

#if SHARES_COLUMNS
var<workgroup> invocation_sums: array<Element, INVOCATIONS>;
#end

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let index = group.x + group.y * GRID_X;
  if (index >= BLOCKS) {
    return;
  }
  let block = blocks[index];
  let column = invocation % block.width;
  let row = invocation / block.width;
  let step = INVOCATIONS / block.width;
  var sum = Element();
  if (column < block.columns) {
    for (var part = row; part < block.rows; part += step) {
      sum += parts[block.first + part * block.stride + column];
    }
  }
#if SHARES_COLUMNS
  invocation_sums[invocation] = sum;
  workgroupBarrier();
  if (row == 0u) {
    for (var other = 1u; other < step; other++) {
      sum += invocation_sums[other * block.width + column];
    }
  }
#end
  if (row == 0u && column < block.columns) {
    let at = block.place + column;
    if (block.accumulate != 0u) {
      sums[at] += sum;
    } else {
      sums[at] = sum;
    }
  }
}
