// Second stage of layer-norm-backward-parameters.wgsl: dWeight and dBias are the sums of the partials
// [CHUNKS, 2, COLUMNS] over the chunks; with ACCUMULATE they are added to what is there.
//
// Header: Element (f32 or vec4f; COLUMNS and offsets count Elements), COLUMNS, CHUNKS, ACCUMULATE, D_WEIGHT_OFFSET,
// D_BIAS_OFFSET. One invocation an Element.

@group(0) @binding(0) var<storage, read> partials: array<Element>;
@group(0) @binding(1) var<storage, read_write> d_weight: array<Element>;
@group(0) @binding(2) var<storage, read_write> d_bias: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= 2u * COLUMNS) {
    return;
  }
  var sum = Element();
  for (var chunk = 0u; chunk < CHUNKS; chunk++) {
    sum += partials[chunk * 2u * COLUMNS + i];
  }
  if (i < COLUMNS) {
    let at = D_WEIGHT_OFFSET + i;
    if (ACCUMULATE) {
      d_weight[at] += sum;
    } else {
      d_weight[at] = sum;
    }
  } else {
    let at = D_BIAS_OFFSET + i - COLUMNS;
    if (ACCUMULATE) {
      d_bias[at] += sum;
    } else {
      d_bias[at] = sum;
    }
  }
}
