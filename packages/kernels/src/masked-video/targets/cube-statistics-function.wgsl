// Sums over the pixels of one cube of uint8 frames by one workgroup of 64, and the addressing of its words; a
// library piece. mul-high.wgsl and cube-address.wgsl precede it.
//
// Header: FRAMES, FRAME_WORDS and ROW_WORDS (words of a frame and of a row), TUBELET, PATCH, FRAMES_OFFSET_WORDS.
//
// Everything is exact: sums of bytes and of their squares fit a u32 up to 65,536 pixels, and the numerator of the
// unbiased variance, n Σx² − (Σx)², is formed in 64 bits. A constant cube has variance 0, not rounding noise.

var<storage, read> frames: array<u32>;

const PIXELS = TUBELET * PATCH * PATCH;
const WORDS_PER_ROW = PATCH / 4u * 3u;

struct CubeSums {
  total: vec3u,     // Σx of red, green and blue, bytes
  deviation: vec3f, // √(unbiased variance), in bytes
}

var<workgroup> totals: array<vec3u, 64>;
var<workgroup> squares: array<vec3u, 64>;

// The first of the words of the cube of clip `clip` that begins at `origin` (frame, row, column); those of its rows are
// FRAME_WORDS from frame to frame and ROW_WORDS from row to row apart.
fn first_word(clip: u32, origin: vec3u) -> u32 {
  return FRAMES_OFFSET_WORDS + (clip * FRAMES + origin.x) * FRAME_WORDS + origin.y * ROW_WORDS + origin.z / 4u * 3u;
}

// n Σx² − (Σx)², rounded once from 64 bits.
fn scaled_variance(total: u32, square: u32) -> f32 {
  let minuend = PIXELS * square;
  let subtrahend = total * total;
  let borrow = select(0u, 1u, subtrahend > minuend);
  let high = mul_high(PIXELS, square) - mul_high(total, total) - borrow;
  return f32(high) * 4294967296.0 + f32(minuend - subtrahend);
}

// All 64 invocations must call this together.
fn cube_sums(clip: u32, origin: vec3u, invocation: u32) -> CubeSums {
  let first = first_word(clip, origin);
  var total = vec3u(0u);
  var square = vec3u(0u);
  for (var quad = invocation; quad < PIXELS / 4u; quad += 64u) {
    let row = quad / (PATCH / 4u);
    let word = first + row / PATCH * FRAME_WORDS + row % PATCH * ROW_WORDS + quad % (PATCH / 4u) * 3u;
    // Bytes r g b r | g b r g | b r g b.
    let a = frames[word];
    let b = frames[word + 1u];
    let c = frames[word + 2u];
    let red = vec4u(a & 0xffu, a >> 24u, (b >> 16u) & 0xffu, (c >> 8u) & 0xffu);
    let green = vec4u((a >> 8u) & 0xffu, b & 0xffu, b >> 24u, (c >> 16u) & 0xffu);
    let blue = vec4u((a >> 16u) & 0xffu, (b >> 8u) & 0xffu, c & 0xffu, c >> 24u);
    let ones = vec4u(1u);
    total += vec3u(dot(red, ones), dot(green, ones), dot(blue, ones));
    square += vec3u(dot(red, red), dot(green, green), dot(blue, blue));
  }
  workgroupBarrier(); // an earlier call may still be reading
  totals[invocation] = total;
  squares[invocation] = square;
  for (var half = 32u; half > 0u; half = half / 2u) {
    workgroupBarrier();
    if (invocation < half) {
      totals[invocation] += totals[invocation + half];
      squares[invocation] += squares[invocation + half];
    }
  }
  workgroupBarrier();
  let t = totals[0];
  let s = squares[0];
  let scaled = vec3f(scaled_variance(t.x, s.x), scaled_variance(t.y, s.y), scaled_variance(t.z, s.z));
  return CubeSums(t, sqrt(scaled / (f32(PIXELS) * f32(PIXELS - 1u))));
}
