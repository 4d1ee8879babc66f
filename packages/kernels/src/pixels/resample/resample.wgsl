// One axis of a resize: each pixel of the result is a weighted sum of neighbours along a row, or along a column.
//
//   out[i, j] = (2²¹ + Σₖ w[i, k] · in[first[i] + k, j]) >> 22, cut to 255
//
// for each channel, in whole numbers; i counts along the axis that is resized and j along the other. With Pillow's
// weights it is Pillow's bilinear resize, bit for bit.
//
// Data: JOBS_OFFSET. Layout: a record of `jobs` for each frame, and filters in `table`, see resample.ts. A pixel is a word
// red | green << 8 | blue << 16. One invocation makes 16 pixels along the axis, at the same j, so that all lanes use
// the same weights. Steps may be negative: an image is turned or mirrored by its steps.

var<storage, read> source: array<u32>;
var<storage, read> jobs: array<u32>;
var<storage, read> table: array<u32>;
var<storage, read_write> pixels: array<u32>;

const RECORD = 9u;
const OUTPUTS = 16u;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let job = JOBS_OFFSET + group.z * RECORD;
  let j = group.x * 32u + lane;
  if (j >= jobs[job + 7u]) {
    return;
  }
  let end = min((group.y + 1u) * OUTPUTS, jobs[job + 6u]);
  let step = jobs[job + 1u];
  let line = jobs[job] + j * jobs[job + 2u];
  let filter_start = jobs[job + 8u];
  let taps = table[filter_start];
  var place = jobs[job + 3u] + group.y * OUTPUTS * jobs[job + 4u] + j * jobs[job + 5u];
  for (var i = group.y * OUTPUTS; i < end; i++) {
    let weights = filter_start + 1u + i * (taps + 1u);
    var at = line + table[weights] * step;
    var sum = vec3u(1u << 21u);
    for (var k = 1u; k < taps; k += 2u) {
      let one = source[at];
      let two = source[at + step];
      let weight = table[weights + k];
      let next = table[weights + k + 1u];
      sum += vec3u(one & 0xffu, (one >> 8u) & 0xffu, one >> 16u) * weight;
      sum += vec3u(two & 0xffu, (two >> 8u) & 0xffu, two >> 16u) * next;
      at += 2u * step;
    }
    let value = min(sum >> vec3u(22u), vec3u(255u));
    pixels[place] = value.x | (value.y << 8u) | (value.z << 16u);
    place += jobs[job + 4u];
  }
}
