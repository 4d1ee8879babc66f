// Decoded frames as pixels, a word red | green << 8 | blue << 16 each: from bytes of red, green and blue, or (PLANAR
// 1) from the planes Y, U, V of 4:2:0 video:
//
//   R = (Y − Y₀)·s + (V − 128)·r_v,  G = (Y − Y₀)·s + (U − 128)·g_u + (V − 128)·g_v,  B = (Y − Y₀)·s + (U − 128)·b_u
//
// rounded and cut to 0 … 255. A chroma sample lies in the middle of the four pixels that share it: between samples,
// chroma is interpolated with weights of sixteenths, and the outermost samples go on to the edge. All of it is done in
// whole numbers (factors in units of 2⁻¹⁶), so that every device gives the same bytes.
//
// Data: JOBS_OFFSET, PLANAR. Layout: a record of `jobs` for each frame, see unpack.ts. Rows of pixels begin at
// multiples of four and are filled up with zeros. One invocation makes four neighbouring pixels in each of 16 rows:
// software drivers spend longer on starting an invocation than on its pixels.

var<storage, read> bytes: array<u32>;
var<storage, read> jobs: array<u32>;
var<storage, read_write> pixels: array<vec4u>;

const RECORD = 15u;
const ROWS = 16u;

// Four bytes from any place on.
fn four_bytes(place: u32) -> u32 {
  let word = place >> 2u;
  let skipped = (place & 3u) * 8u;
  return (bytes[word] >> skipped) | ((bytes[word + 1u] << 1u) << (31u - skipped));
}

fn four_values(word: u32) -> vec4i {
  return vec4i((vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu));
}

// Of the samples on both sides of four pixels, the left one first: three times the row that is nearer and the other.
fn chroma_samples(plane: u32, row: u32, other_row: u32, column: u32, last_column: u32) -> vec4i {
  // The first byte may be that of another row: it is not used then.
  var sum = 3 * four_values(four_bytes(plane + row + column - 1u)) + four_values(four_bytes(plane + other_row + column - 1u));
  sum.x = select(sum.x, sum.y, column == 0u);
  sum.z = select(sum.z, sum.y, column + 1u > last_column);
  sum.w = select(sum.w, sum.z, column + 2u > last_column);
  return 3 * sum.yyzz + sum.xzyw - vec4i(2048);
}

fn rounded(value: vec4i) -> vec4u {
  return vec4u(clamp((value + vec4i(1 << 19u)) >> vec4u(20u), vec4i(0), vec4i(255)));
}

// Four pixels of planes.
fn planar_pixels(job: u32, y: u32, quad: u32) -> vec4u {
  let row = jobs[job + 3u] + y * jobs[job + 4u];
  let stride = jobs[job + 7u];
  let last_row = jobs[job + 8u];
  let near = y >> 1u;
  let other = select(min(near + 1u, last_row), max(near, 1u) - 1u, (y & 1u) == 0u);
  let last_column = stride - 1u;
  let u = chroma_samples(jobs[job + 5u], near * stride, other * stride, 2u * quad, last_column);
  let v = chroma_samples(jobs[job + 6u], near * stride, other * stride, 2u * quad, last_column);
  let luma = (four_values(four_bytes(row + 4u * quad)) - vec4i(i32(jobs[job + 9u]))) * (16 * i32(jobs[job + 10u]));
  let red = rounded(luma + v * bitcast<i32>(jobs[job + 11u]));
  let green = rounded(luma + u * bitcast<i32>(jobs[job + 12u]) + v * bitcast<i32>(jobs[job + 13u]));
  let blue = rounded(luma + u * bitcast<i32>(jobs[job + 14u]));
  return red | (green << vec4u(8u)) | (blue << vec4u(16u));
}

// Four pixels of bytes.
fn rgb_pixels(job: u32, y: u32, quad: u32) -> vec4u {
  let place = jobs[job + 3u] + y * jobs[job + 4u] + 12u * quad;
  let a = four_bytes(place);
  let b = four_bytes(place + 4u);
  let c = four_bytes(place + 8u);
  return vec4u(a, (a >> 24u) | (b << 8u), (b >> 16u) | (c << 16u), c >> 8u) & vec4u(0xffffffu);
}

@compute @workgroup_size(16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let job = JOBS_OFFSET + group.z * RECORD;
  let quads = (jobs[job] + 3u) / 4u;
  let quad = group.x * 16u + invocation;
  if (quad >= quads) {
    return;
  }
  let inside = (vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u)) < vec4u(jobs[job]);
  let first = jobs[job + 2u] + quad;
  let end = min((group.y + 1u) * ROWS, jobs[job + 1u]);
  if (PLANAR == 1u) {
    for (var y = group.y * ROWS; y < end; y++) {
      pixels[first + y * quads] = select(vec4u(0u), planar_pixels(job, y, quad), inside);
    }
  } else {
    for (var y = group.y * ROWS; y < end; y++) {
      pixels[first + y * quads] = select(vec4u(0u), rgb_pixels(job, y, quad), inside);
    }
  }
}
