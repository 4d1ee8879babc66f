// The entry point of cubes.wgsl and cubes-from-video.wgsl, one of which is before it: every quad of a clip once.
//
// Header: COUNT (quads of pixels of a clip), ROUNDS (quads of an invocation), GRID_X. Neighbouring invocations take
// neighbouring quads; workgroup_id.z is the clip.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let first = (group.x + group.y * GRID_X) * 64u * ROUNDS + invocation;
  for (var round = 0u; round < ROUNDS; round++) {
    let i = first + round * 64u;
    if (i < COUNT) {
      take_quad(group.z, i);
    }
  }
}
