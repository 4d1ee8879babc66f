// Attention, gradients of the keys and values: adds up the partial sums of attention-backward-key, in order.
//
// Header: attention-rows.wgsl, attention-gradient-stores.wgsl.
// Data: HEADS, LQ, LK; DK_OFFSET, DK_GROUP, DK_ROW and the same for DV (in elements of WIDTH); COUNT (vec4s of dk and dv
// of all heads), SPLITS, SPLIT_STRIDE (elements of one chunk), GRID_X.
// Layout: partial_sums [SPLITS, G, LK, 2C] contiguous, dk in the first C columns; dk, dv [G, LK, C].

var<storage, read> partial_sums: array<Element>;

const VEC4S = DEPTH / 4u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let i = (group.x + group.y * GRID_X) * 64u + index;
  if (i >= COUNT) {
    return;
  }
  let c = i % VEC4S;
  let h = i / VEC4S % (2u * HEADS);
  let row = i / (2u * VEC4S * HEADS);
  var sum = vec4f();
  for (var split = 0u; split < SPLITS; split++) {
    sum += load_vec4(&partial_sums, split * SPLIT_STRIDE + row * 2u * HEADS * HEAD + h * HEAD, c);
  }
  if (h < HEADS) {
    store_dk(DK_OFFSET + row / LK * DK_GROUP + row % LK * DK_ROW + h * HEAD, c, sum);
  } else {
    store_dv(DV_OFFSET + row / LK * DV_GROUP + row % LK * DV_ROW + (h - HEADS) * HEAD, c, sum);
  }
}
