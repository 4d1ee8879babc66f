// Operations on the tones of pixels, red | green << 8 | blue << 16 each: channel by channel,
//
//   out = base + change[value − base], cut to 0 … 255,
//
// where the base is 0 (a change of levels: then `change` holds levels), the luma of the pixel (colour), or the mean of its
// neighbourhood (sharpness): weights 1 all around and 5 in the middle, over 13; the outermost pixels stay.
//
// Data: JOBS_OFFSET. Layout: a record of `jobs` for each frame and words of `table`, see tone.ts. Everything is whole
// numbers. One invocation makes a column of 16 pixels. What only some operations need is the body of a loop that others
// do not enter: software drivers work on both sides of a condition.

var<storage, read_write> pixels: array<u32>;
var<storage, read> jobs: array<u32>;
var<storage, read> table: array<u32>;

const RECORD = 7u;
const ROWS = 16u;
const COLOUR = 1u;
const SHARPNESS = 2u;

fn channels(pixel: u32) -> vec3u {
  return (vec3u(pixel) >> vec3u(0u, 8u, 16u)) & vec3u(0xffu);
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let job = JOBS_OFFSET + group.z * RECORD;
  let x = group.x * 32u + invocation;
  let width = jobs[job + 2u];
  let height = jobs[job + 3u];
  if (x >= width) {
    return;
  }
  let kind = jobs[job + 4u];
  let neighbours = select(0u, 3u, kind == SHARPNESS);
  let tables = vec3u(jobs[job + 5u]) + vec3u(0u, 1u, 2u) * jobs[job + 6u];
  let end = min((group.y + 1u) * ROWS, height);
  for (var y = group.y * ROWS; y < end; y++) {
    let place = jobs[job] + y * width + x;
    let value = channels(pixels[place]);
    let luma = (19595u * value.x + 38470u * value.y + 7471u * value.z + 0x8000u) >> 16u;
    let outermost = x == 0u || y == 0u || x + 1u == width || y + 1u == height;
    let corner = select(place - width - 1u, jobs[job], outermost);
    var sum = 4u * value;
    for (var row = 0u; row < neighbours; row++) {
      let at = corner + row * width;
      sum += channels(pixels[at]) + channels(pixels[at + 1u]) + channels(pixels[at + 2u]);
    }
    let smooth_value = select((2u * sum + vec3u(13u)) / vec3u(26u), value, outermost);
    let base = select(select(vec3u(0u), vec3u(luma), kind == COLOUR), smooth_value, kind == SHARPNESS);
    // Tables of changes are entered in their middle: differences may be negative.
    let at = tables + value - base;
    let entry = vec3u(table[at.x], table[at.y], table[at.z]);
    let carry = select(vec3i(0), vec3i(1), base >= (entry >> vec3u(16u)));
    let made = vec3u(clamp(vec3i(base + (entry & vec3u(0xffffu))) - vec3i(1 << 15u) + carry, vec3i(0), vec3i(255)));
    pixels[jobs[job + 1u] + y * width + x] = made.x | (made.y << 8u) | (made.z << 16u);
  }
}
