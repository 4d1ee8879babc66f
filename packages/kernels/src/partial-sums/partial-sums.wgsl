// Sums over the rows of many small matrices at once: sums[c] = Σ_p parts[p, c], or += where a block says so.
//
// Header: Element (f32 or vec4f; all counts and places in a block count Elements), BLOCKS, GRID_X, COLUMN_LANES,
// ROW_LANES.
// A workgroup has one block: up to COLUMN_LANES neighbouring columns of one matrix, whose rows ROW_LANES invocations
// share, every ROW_LANES-th each. Their sums are added in order: the result is the same every time.

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

var<workgroup> lane_sums: array<Element, COLUMN_LANES * ROW_LANES>;

@compute @workgroup_size(COLUMN_LANES, ROW_LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
  @builtin(local_invocation_index) slot: u32,
) {
  let index = group.x + group.y * GRID_X;
  if (index >= BLOCKS) {
    return;
  }
  let block = blocks[index];
  var sum = Element();
  if (lane.x < block.columns) {
    for (var part = lane.y; part < block.parts; part += ROW_LANES) {
      sum += parts[block.first + part * block.stride + lane.x];
    }
  }
  if (ROW_LANES > 1u) {
    lane_sums[slot] = sum;
    workgroupBarrier();
    if (lane.y == 0u) {
      for (var other = 1u; other < ROW_LANES; other++) {
        sum += lane_sums[other * COLUMN_LANES + lane.x];
      }
    }
  }
  if (lane.y == 0u && lane.x < block.columns) {
    let at = block.place + lane.x;
    if (block.accumulate != 0u) {
      sums[at] += sum;
    } else {
      sums[at] = sum;
    }
  }
}
