// The targets of targets.wgsl made from a video that is already normalised, in f32; see there for the maths.
//
// Header: CUBES, COUNT, GRID_X, TOKENS, MASKED_OFFSET, OUT_OFFSET, NORMALIZE, GROUP; cube-address.wgsl,
// video-statistics-function.wgsl and their headers.
// Layout: video [B, 3, T, H, W]; masked [B, n]; out [B, n, (frame, row, column, channel)] f32, channel fastest.
// One workgroup makes one cube.

var<storage, read> masked: array<u32>;
var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let cube = group.x + group.y * GRID_X;
  if (cube >= COUNT) {
    return;
  }
  let clip = cube / CUBES;
  let token = masked[MASKED_OFFSET + cube];
  let exists = token < TOKENS;
  let origin = cube_origin(min(token, TOKENS - 1u));
  let base_origin = vec3u(select(origin.x / GROUP * GROUP, origin.x, GROUP < TUBELET), origin.yz);
  let elsewhere = base_origin.x != origin.x;

  var own = CubeStatistics(vec3f(0.0), vec3f(0.0), vec3f(1.0));
  var base = own;
  if (NORMALIZE) {
    // A second pass only where needed; one call in a loop, since drivers copy the function to each of its calls.
    let passes = select(1u, 2u, elsewhere);
    for (var cubes_seen = 0u; cubes_seen < passes; cubes_seen++) {
      base = cube_statistics(clip, select(origin, base_origin, cubes_seen == 1u), invocation);
      if (cubes_seen == 0u) {
        own = base;
      }
    }
  }
  for (var i = invocation; i < PIXELS * 3u; i += 64u) {
    let channel = i % 3u;
    let frame = i / (3u * PATCH * PATCH);
    let row = i / (3u * PATCH) % PATCH;
    let column = i / 3u % PATCH;
    var base_frame = 0u;
    if (GROUP < TUBELET) {
      base_frame = frame / GROUP * GROUP;
    }
    let u = pixel(clip, origin, frame, row, column, channel);
    let z = (u - own.pivot[channel] - own.mean[channel]) / own.deviation[channel];
    var value = z;
    if (elsewhere || base_frame != frame) {
      let base_u = pixel(clip, base_origin, base_frame, row, column, channel);
      if (elsewhere) {
        value = z - (base_u - base.pivot[channel] - base.mean[channel]) / base.deviation[channel];
      } else {
        value = (u - base_u) / own.deviation[channel];
      }
    }
    if (!exists) {
      value = not_a_number(token);
    }
    out[OUT_OFFSET + cube * PIXELS * 3u + i] = value;
  }
}
