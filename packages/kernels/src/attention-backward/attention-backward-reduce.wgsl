// Attention, gradients of the keys and values: adds up the partial sums of attention-backward-key, in order.
//
// Header: lanes-4.wgsl or lanes-1.wgsl; LK; DK_OFFSET, DK_GROUP, DK_ROW and the same for DV (in lanes); COUNT
// (lanes of one chunk), SPLITS, CHANNEL_LANES (C in lanes), GRID_X; gradients-split.wgsl or gradients-joined.wgsl.
// Layout: partial_sums [SPLITS, G, LK, 2C] contiguous, dk in the first C columns; dk, dv [G, LK, C].

@group(0) @binding(2) var<storage, read> partial_sums: array<Lane>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * GRID_X) * 64u + lane;
  if (i >= COUNT) {
    return;
  }
  var sum = Lane();
  for (var split = 0u; split < SPLITS; split++) {
    sum += partial_sums[split * COUNT + i];
  }
  let column = i % (2u * CHANNEL_LANES);
  let row = (i / (2u * CHANNEL_LANES)) % LK;
  let g = i / (2u * CHANNEL_LANES * LK);
  if (column < CHANNEL_LANES) {
    store_dk(DK_OFFSET + g * DK_GROUP + row * DK_ROW + column, sum);
  } else {
    store_dv(DV_OFFSET + g * DV_GROUP + row * DV_ROW + column - CHANNEL_LANES, sum);
  }
}
