// Fills an array with the draws of one Philox stream: element i is draw i as bits, uniform or normal number.
//
// Header: COUNT, OUT_OFFSET (elements), GRID_X, PURPOSE, KIND (0 bits, 1 uniform, 2 normal); mul-high.wgsl,
// philox.wgsl, philox-normal.wgsl.
// Layout: key = (seed low, seed high, epoch, sample); out is contiguous, written as bits whatever its type.
// One invocation makes one block of four draws; normals come in the pairs (0, 1) and (2, 3) of a block.

var<storage, read> key: array<u32>;
var<storage, read_write> out: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let block = (group.x + group.y * GRID_X) * 64u + lane;
  let draws = philox4x32(vec4u(block, key[3], key[2], PURPOSE), vec2u(key[0], key[1]));
  var words = draws;
  if (KIND == 1u) {
    words = vec4u(bitcast<u32>(philox_uniform(draws.x)), bitcast<u32>(philox_uniform(draws.y)),
                  bitcast<u32>(philox_uniform(draws.z)), bitcast<u32>(philox_uniform(draws.w)));
  } else if (KIND == 2u) {
    words = bitcast<vec4u>(vec4f(philox_normal_pair(draws.x, draws.y), philox_normal_pair(draws.z, draws.w)));
  }
  for (var k = 0u; k < 4u; k++) {
    let i = block * 4u + k;
    if (i < COUNT) {
      out[OUT_OFFSET + i] = words[k];
    }
  }
}
