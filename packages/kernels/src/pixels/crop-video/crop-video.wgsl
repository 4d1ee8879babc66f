// A box of frames as a normalised video of its own: resized between the four nearest pixels, however much it shrinks,
// mirrored if wanted, with a part of it replaced by normal noise:
//
//   out[c, t, y, x] = (v / 255 − mean[c]) / deviation[c],  v = (1 − q)·((1 − p)·a + p·b) + q·((1 − p)·c + p·d)
//
// Data: JOBS_OFFSET, WIDTH (of a row of pixels), PLANE (values of a channel of a clip), OUT_WIDTH, OUT_HEIGHT,
// OUT_OFFSET, PURPOSE; mul-high.wgsl and philox.wgsl precede. Layout: a record of `jobs` for each frame, and in `table`
// for each column and row the two it lies between (16 bits each) and the weight of the second, see crop-video.ts. A
// pixel is a word red | green << 8 | blue << 16. The noise at place i of the box, counted through channels, frames, rows
// and columns, is normal number i of a Philox stream from a certain block on. One invocation makes a column of 16 pixels.

var<storage, read> pixels: array<u32>;
var<storage, read> jobs: array<u32>;
var<storage, read> table: array<u32>;
var<storage, read_write> video: array<f32>;

const RECORD = 16u;
const ROWS = 16u;

// Box–Muller: two draws make two numbers.
fn normal(i: u32, job: u32) -> f32 {
  let counter = vec4u(jobs[job + 10u] + i / 4u, jobs[job + 14u], jobs[job + 13u], PURPOSE);
  let block = philox4x32(counter, vec2u(jobs[job + 11u], jobs[job + 12u])) >> vec4u(8u);
  let draws = select(block.xy, block.zw, (i & 2u) == 2u);
  let radius = sqrt(-2.0 * log(f32(draws.x + 1u) * 0x1p-24));
  // Half a turn less, and the opposite of what that gives: sines are best about zero.
  let angle = f32(i32(draws.y) - (1 << 23u)) * (6.283185307179586 * 0x1p-24);
  return -radius * select(cos(angle), sin(angle), (i & 1u) == 1u);
}

fn channels(pixel: u32) -> vec3f {
  return vec3f((vec3u(pixel) >> vec3u(0u, 8u, 16u)) & vec3u(0xffu));
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let job = JOBS_OFFSET + group.z * RECORD;
  let x = group.x * 32u + invocation;
  if (x >= OUT_WIDTH) {
    return;
  }
  let column = jobs[job + 2u] + 2u * x;
  let left = jobs[job] + (table[column] & 0xffffu);
  let right = jobs[job] + (table[column] >> 16u);
  let along = bitcast<f32>(table[column + 1u]);
  let box = vec4u(jobs[job + 4u], jobs[job + 5u], jobs[job + 6u], jobs[job + 7u]);
  let end = min((group.y + 1u) * ROWS, OUT_HEIGHT);
  for (var y = group.y * ROWS; y < end; y++) {
    let row = jobs[job + 3u] + 2u * y;
    let above = (table[row] & 0xffffu) * WIDTH;
    let below = (table[row] >> 16u) * WIDTH;
    let down = bitcast<f32>(table[row + 1u]);
    let upper = channels(pixels[above + left]) * (1.0 - along) + channels(pixels[above + right]) * along;
    let lower = channels(pixels[below + left]) * (1.0 - along) + channels(pixels[below + right]) * along;
    let level = upper * (1.0 - down) + lower * down;
    let value = (level / 255.0 - vec3f(0.485, 0.456, 0.406)) / vec3f(0.229, 0.224, 0.225);
    let place = OUT_OFFSET + jobs[job + 1u] + y * OUT_WIDTH + x;
    video[place] = value.x;
    video[place + PLANE] = value.y;
    video[place + 2u * PLANE] = value.z;
    // A loop that most pixels do not enter: software drivers work on both sides of a condition.
    let noisy = x - box.x < box.z && y - box.y < box.w;
    let channel_count = select(0u, 3u, noisy);
    for (var c = 0u; c < channel_count; c++) {
      let frame = c * jobs[job + 9u] + jobs[job + 8u];
      video[place + c * PLANE] = normal((frame * box.w + y - box.y) * box.z + x - box.x, job);
    }
  }
}
