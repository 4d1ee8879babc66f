// Mixup and CutMix of a batch with its own reverse, in place: clips b and B − 1 − b become
//
//   one' = p·one + q·other,  other' = p·other + q·one
//
// with weights (p, q) of their own inside and outside of a box in all frames.
//
// Data: JOBS_OFFSET, PLANES (of a clip), CLIPS, WIDTH, HEIGHT, OFFSET. Layout: clips [B, PLANES, HEIGHT, WIDTH]; jobs =
// the bits of (p, q) outside and inside, then the box's left, top, width and height. One invocation makes a column of 16
// values of a plane of both clips.

var<storage, read> jobs: array<u32>;
var<storage, read_write> clips: array<f32>;

const ROWS = 16u;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let x = group.x * 32u + invocation;
  if (x >= WIDTH) {
    return;
  }
  let b = group.z / PLANES;
  let plane = group.z - b * PLANES;
  let one = OFFSET + group.z * WIDTH * HEIGHT + x;
  let other = OFFSET + ((CLIPS - 1u - b) * PLANES + plane) * WIDTH * HEIGHT + x;
  let outside = vec2f(bitcast<f32>(jobs[JOBS_OFFSET]), bitcast<f32>(jobs[JOBS_OFFSET + 1u]));
  let inside = vec2f(bitcast<f32>(jobs[JOBS_OFFSET + 2u]), bitcast<f32>(jobs[JOBS_OFFSET + 3u]));
  let across = x - jobs[JOBS_OFFSET + 4u] < jobs[JOBS_OFFSET + 6u];
  let end = min((group.y + 1u) * ROWS, HEIGHT);
  for (var y = group.y * ROWS; y < end; y++) {
    let is_inside = across && y - jobs[JOBS_OFFSET + 5u] < jobs[JOBS_OFFSET + 7u];
    let weight = select(outside, inside, is_inside);
    let own = clips[one + y * WIDTH];
    let partner = clips[other + y * WIDTH];
    clips[one + y * WIDTH] = weight.x * own + weight.y * partner;
    clips[other + y * WIDTH] = weight.x * partner + weight.y * own;
  }
}
