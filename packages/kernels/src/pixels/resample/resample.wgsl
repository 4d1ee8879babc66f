// One axis of a resize: each pixel of the result is a weighted sum of neighbours along a row, or along a column.
//
//   out[i, j] = (2²¹ + Σₖ w[i, k] · in[first[i] + k, j]) >> 22, cut to 255
//
// for each channel, in whole numbers; i counts along the axis that is resized and j along the other. With Pillow's
// weights it is Pillow's bilinear resize, bit for bit.
//
// Data: JOBS_OFFSET. Layout: a record of `jobs` for each frame, and filters in `table`, see resample.ts. A pixel is a word
// red | green << 8 | blue << 16. One invocation makes 16 pixels along the axis at four neighbouring j: all of them use the
// same weights, and software drivers have more to do in a loop than to go round it. Steps may be negative: an image is
// turned or mirrored by its steps.

var<storage, read> source: array<u32>;
var<storage, read> jobs: array<u32>;
var<storage, read> table: array<u32>;
var<storage, read_write> pixels: array<u32>;

const RECORD = 9u;
const OUTPUTS = 16u;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let job = JOBS_OFFSET + group.z * RECORD;
  let j = (group.x * 8u + invocation) * 4u;
  let lines = jobs[job + 7u];
  if (j >= lines) {
    return;
  }
  let four = vec4u(j) + vec4u(0u, 1u, 2u, 3u);
  let line = vec4u(jobs[job]) + min(four, vec4u(lines - 1u)) * jobs[job + 2u];
  let end = min((group.y + 1u) * OUTPUTS, jobs[job + 6u]);
  let step = vec4u(jobs[job + 1u]);
  let filter_start = jobs[job + 8u];
  let taps = table[filter_start];
  let next = jobs[job + 5u];
  for (var i = group.y * OUTPUTS; i < end; i++) {
    let weights = filter_start + 1u + i * (taps + 1u);
    var at = line + table[weights] * step;
    var red = vec4u(1u << 21u);
    var green = red;
    var blue = red;
    for (var k = 1u; k <= taps; k++) {
      let pixel = vec4u(source[at.x], source[at.y], source[at.z], source[at.w]);
      let weight = table[weights + k];
      red += (pixel & vec4u(0xffu)) * weight;
      green += ((pixel >> vec4u(8u)) & vec4u(0xffu)) * weight;
      blue += (pixel >> vec4u(16u)) * weight;
      at += step;
    }
    let most = vec4u(255u);
    let value = min(red >> vec4u(22u), most) | (min(green >> vec4u(22u), most) << vec4u(8u)) |
      (min(blue >> vec4u(22u), most) << vec4u(16u));
    let place = jobs[job + 3u] + i * jobs[job + 4u] + j * next;
    pixels[place] = value.x;
    if (j + 1u < lines) {
      pixels[place + next] = value.y;
    }
    if (j + 2u < lines) {
      pixels[place + 2u * next] = value.z;
    }
    if (j + 3u < lines) {
      pixels[place + 3u * next] = value.w;
    }
  }
}
