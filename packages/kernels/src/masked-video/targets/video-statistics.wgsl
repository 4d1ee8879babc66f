// Mean and deviation (σ + 1e-6) of masked cubes of a normalised f32 video, by channel.
//
// Header: CUBES, COUNT, GRID_X, TOKENS, MASKED_OFFSET, MEAN_OFFSET, DEVIATION_OFFSET; cube-address.wgsl,
// video-statistics-function.wgsl and their headers.
// Layout: masked [B, n]; mean and deviation [B, n, 3] f32. One workgroup makes one cube.

var<storage, read> masked: array<u32>;
var<storage, read_write> mean: array<f32>;
var<storage, read_write> deviation: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let cube = group.x + group.y * GRID_X;
  if (cube >= COUNT) {
    return;
  }
  let token = masked[MASKED_OFFSET + cube];
  let found = cube_statistics(cube / CUBES, cube_origin(min(token, TOKENS - 1u)), invocation);
  if (invocation < 3u) {
    let exists = token < TOKENS;
    let average = found.pivot[invocation] + found.mean[invocation];
    mean[MEAN_OFFSET + cube * 3u + invocation] = select(not_a_number(token), average, exists);
    deviation[DEVIATION_OFFSET + cube * 3u + invocation] = select(not_a_number(token), found.deviation[invocation], exists);
  }
}
