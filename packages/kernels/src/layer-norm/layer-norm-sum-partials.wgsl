// Second stage of layer-norm-backward-parameters.wgsl where there are several chunks: dWeight and dBias are the sums
// of the partials [CHUNKS, COLUMNS] over the chunks; with ACCUMULATE they are added to what is there.
//
// Header: Element (f32 or vec4f; COLUMNS and offsets count Elements), COLUMNS, CHUNKS, ACCUMULATE, D_WEIGHT_OFFSET,
// D_BIAS_OFFSET. One invocation an Element of each.

@group(0) @binding(0) var<storage, read> weight_partials: array<Element>;
@group(0) @binding(1) var<storage, read> bias_partials: array<Element>;
@group(0) @binding(2) var<storage, read_write> d_weight: array<Element>;
@group(0) @binding(3) var<storage, read_write> d_bias: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= COLUMNS) {
    return;
  }
  var weight_sum = Element();
  var bias_sum = Element();
  for (var chunk = 0u; chunk < CHUNKS; chunk++) {
    weight_sum += weight_partials[chunk * COLUMNS + i];
    bias_sum += bias_partials[chunk * COLUMNS + i];
  }
  if (ACCUMULATE) {
    d_weight[D_WEIGHT_OFFSET + i] += weight_sum;
    d_bias[D_BIAS_OFFSET + i] += bias_sum;
  } else {
    d_weight[D_WEIGHT_OFFSET + i] = weight_sum;
    d_bias[D_BIAS_OFFSET + i] = bias_sum;
  }
}
