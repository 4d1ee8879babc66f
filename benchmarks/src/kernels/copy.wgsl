// How fast the adapter can move memory: one vec4 read and written an invocation, neighbours side by side.
//
// Constants in front: COUNT (vec4s), GRID_X (workgroups along x).

var<storage, read> source: array<vec4f>;
var<storage, read_write> copied: array<vec4f>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let i = (group.x + group.y * GRID_X) * 256u + invocation;
  if i < COUNT {
    copied[i] = source[i];
  }
}
