// Sums over the rows of many small matrices at once: sums[c] = Σ_p parts[p, c], or += where a block says so.
//
// Header: Element (f32 or vec4f; all counts and places in a block count Elements), BLOCKS, GRID_X, COLUMN_INVOCATIONS,
// ROW_INVOCATIONS.
// A workgroup has one block: up to COLUMN_INVOCATIONS neighbouring columns of one matrix, whose rows ROW_INVOCATIONS invocations
// share, every ROW_INVOCATIONS-th each. Their sums are added in order: the result is the same every time.

struct Block {
  first: u32,
  stride: u32,
  parts: u32,
  place: u32,
  columns: u32,
  accumulate: u32,
}

var<storage, read> parts: array<Element>;
var<storage, read> blocks: array<Block>;
var<storage, read_write> sums: array<Element>;

var<workgroup> invocation_sums: array<Element, COLUMN_INVOCATIONS * ROW_INVOCATIONS>;

@compute @workgroup_size(COLUMN_INVOCATIONS, ROW_INVOCATIONS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) invocation: vec3u,
  @builtin(local_invocation_index) slot: u32,
) {
  let index = group.x + group.y * GRID_X;
  if (index >= BLOCKS) {
    return;
  }
  let block = blocks[index];
  var sum = Element();
  if (invocation.x < block.columns) {
    for (var part = invocation.y; part < block.parts; part += ROW_INVOCATIONS) {
      sum += parts[block.first + part * block.stride + invocation.x];
    }
  }
  if (ROW_INVOCATIONS > 1u) {
    invocation_sums[slot] = sum;
    workgroupBarrier();
    if (invocation.y == 0u) {
      for (var other = 1u; other < ROW_INVOCATIONS; other++) {
        sum += invocation_sums[other * COLUMN_INVOCATIONS + invocation.x];
      }
    }
  }
  if (invocation.y == 0u && invocation.x < block.columns) {
    let at = block.place + invocation.x;
    if (block.accumulate != 0u) {
      sums[at] += sum;
    } else {
      sums[at] = sum;
    }
  }
}
