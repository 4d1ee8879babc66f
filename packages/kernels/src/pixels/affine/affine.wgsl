// Frames seen through an affine map, with bicubic interpolation (cubic convolution with a = −1, Keys 1981): rotation,
// shears and translations, as Pillow does them. The pixel (x, y) of the result shows the source at
//
//   u = u₀ + u_x·x + u_y·y,  v = v₀ + v_x·x + v_y·y
//
// along two axes, first interpolated along u, then along v; for maps that leave one axis alone, that is v, of which one
// row is taken. What lies outside is grey; within, rows and columns beyond the edge repeat the edge.
//
// Data: JOBS_OFFSET; mul-high.wgsl precedes. Layout: a record of `jobs` for each frame, see affine.ts. A pixel is a word
// red | green << 8 | blue << 16. Pillow reckons in double precision and cuts the result. Here, coordinates have 32 bits
// behind the point and weights 22, and sums are exact but for 2⁻¹⁷ of a level, so that every device gives the same bytes
// and areas of one colour stay as they are: see affine.ts for the bound. One invocation makes a column of 16 pixels.

var<storage, read_write> pixels: array<u32>;
var<storage, read> jobs: array<u32>;

const RECORD = 22u;
const ROWS = 16u;
const GREY = 0x808080u;
const ONE = 1 << 22u;
// What sums fall short of at most, halved.
const ALLOWANCE = 20;

// Fixed-point numbers: (2⁻³² parts, whole part); the whole part of negative ones wraps.
fn add(a: vec2u, b: vec2u) -> vec2u {
  let low = a.x + b.x;
  return vec2u(low, a.y + b.y + select(0u, 1u, low < b.x));
}

fn times(a: vec2u, n: u32) -> vec2u {
  return vec2u(a.x * n, a.y * n + mul_high(a.x, n));
}

fn fixed(place: u32) -> vec2u {
  return vec2u(jobs[place], jobs[place + 1u]);
}

// Weights of four neighbours, in units of 2⁻²², at a fraction d in units of 2⁻³² behind the second:
// −d + 2d² − d³, the rest to one, d + d² − d³, −d² + d³.
fn weights(d: u32) -> vec4i {
  let square = mul_high(d, d);
  let cube = mul_high(square, d);
  let first = (bitcast<i32>(2u * square - d - cube) + 512) >> 10u;
  let third = i32(((d >> 1u) + (square >> 1u) - (cube >> 1u) + 256u) >> 9u);
  let fourth = (bitcast<i32>(cube - square) + 512) >> 10u;
  return vec4i(first, ONE - first - third - fourth, third, fourth);
}

fn channels(pixel: u32) -> vec3i {
  return vec3i((vec3u(pixel) >> vec3u(0u, 8u, 16u)) & vec3u(0xffu));
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let job = JOBS_OFFSET + group.z * RECORD;
  let x = group.x * 32u + invocation;
  let width = jobs[job + 2u];
  if (x >= width) {
    return;
  }
  let length = vec2u(jobs[job + 4u], jobs[job + 6u]);
  let step = vec2u(jobs[job + 5u], jobs[job + 7u]);
  let rows = jobs[job + 8u];
  let first_row = jobs[job + 9u];
  let begin = group.y * ROWS;
  let end = min(begin + ROWS, jobs[job + 3u]);
  let per_row_u = fixed(job + 14u);
  let per_row_v = fixed(job + 20u);
  var u = add(add(fixed(job + 10u), times(fixed(job + 12u), x)), times(per_row_u, begin));
  var v = add(add(fixed(job + 16u), times(fixed(job + 18u), x)), times(per_row_v, begin));
  let half = vec2u(1u << 31u, 0u);
  for (var y = begin; y < end; y++) {
    let last = vec2i(length) - vec2i(1);
    let across = clamp(vec4i(i32(u.y)) + vec4i(-1, 0, 1, 2), vec4i(0), vec4i(last.x));
    let columns = vec4u(jobs[job]) + vec4u(across) * step.x;
    let weight = weights(u.x);
    var down = weights(v.x);
    down = select(down, vec4i(ONE, 0, 0, 0), rows == 1u);
    // Weights in two parts, and sums in two, so that products stay within 32 bits.
    var high = vec3i(0);
    var middle = vec3i(0);
    var low = vec3i(0);
    for (var row = 0u; row < rows; row++) {
      let at = columns + u32(clamp(i32(v.y + first_row + row) - 1, 0, last.y)) * step.y;
      let sum = weight.x * channels(pixels[at.x]) + weight.y * channels(pixels[at.y]) +
        weight.z * channels(pixels[at.z]) + weight.w * channels(pixels[at.w]);
      high += (sum >> vec3u(11u)) * (down.x >> 11u);
      middle += (sum >> vec3u(14u)) * (down.x & 2047);
      low += (sum & vec3i(2047)) * (down.x >> 11u);
      down = down.yzwx;
    }
    let exact = high + (middle >> vec3u(8u)) + (low >> vec3u(11u)) + vec3i(ALLOWANCE);
    let value = vec3u(clamp(exact >> vec3u(22u), vec3i(0), vec3i(255)));
    let inside = add(u, half).y < length.x && add(v, half).y < length.y;
    let made = value.x | (value.y << 8u) | (value.z << 16u);
    pixels[jobs[job + 1u] + y * width + x] = select(GREY, made, inside);
    u = add(u, per_row_u);
    v = add(v, per_row_v);
  }
}
