// What the decoder is to reconstruct of masked cubes: normalised pixels, and differences of normalised pixels.
// Sun et al., "MAE-DFER", ACM MM 2023; the per-cube normalisation is that of VideoMAE, here per channel.
//
//   u = x / 255,  z = (u − μ) / (σ + 1e-6)   (NORMALIZE; else z = u)
//   out = z for frames g k, z − z of frame g k at the same pixel for the others   (g = GROUP)
//
// μ and σ (unbiased) are over the pixels of the cube that a frame belongs to, by channel. Frame g k may lie in an
// earlier cube, which then has a μ and σ of its own.
//
// Header: CUBES (masked tokens per clip), COUNT (cubes), GRID_X, TOKENS, MASKED_OFFSET, OUT_OFFSET_QUADS, NORMALIZE,
// GROUP; mul-high.wgsl, cube-address.wgsl, cube-statistics-function.wgsl and their headers.
// Layout: masked [B, n]; out [B, n, (frame, row, column, channel)] f32, channel fastest: the order of the bytes in
// the frames, so one word of bytes becomes one vec4, and neighbouring invocations read and write neighbours.
//
// One workgroup makes one cube. In z the numerator n x − Σx is an exact integer, and so is x₁ − x₀ within a cube:
// each value is rounded by a division or two and no cancellation, and constant cubes give exact zeros.

var<storage, read> masked: array<u32>;
var<storage, read_write> out: array<vec4f>;

fn unpack_bytes(word: u32) -> vec4i {
  return vec4i(vec4u(word & 0xffu, (word >> 8u) & 0xffu, (word >> 16u) & 0xffu, word >> 24u));
}

// Of a per-channel value, the four that the bytes of word w of a row have: channels w, w + 1, w + 2, w (mod 3).
fn rotate_f(value: vec3f, w: u32) -> vec4f {
  return vec4f(value[w % 3u], value[(w + 1u) % 3u], value[(w + 2u) % 3u], value[w % 3u]);
}
fn rotate_u(value: vec3u, w: u32) -> vec4i {
  return vec4i(vec4u(value[w % 3u], value[(w + 1u) % 3u], value[(w + 2u) % 3u], value[w % 3u]));
}

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
  // The cube that frame g k of this cube's frames is in; one for all of them, since g divides TUBELET or the reverse.
  let base_origin = vec3u(select(origin.x / GROUP * GROUP, origin.x, GROUP < TUBELET), origin.yz);
  let elsewhere = base_origin.x != origin.x;

  var sums = CubeSums(vec3u(0u), vec3f(0.0));
  var base_sums = CubeSums(vec3u(0u), vec3f(0.0));
  if (NORMALIZE) {
    // A second pass only where needed; one call in a loop, since drivers copy the function to each of its calls.
    let passes = select(1u, 2u, elsewhere);
    for (var cubes_seen = 0u; cubes_seen < passes; cubes_seen++) {
      base_sums = cube_sums(clip, select(origin, base_origin, cubes_seen == 1u), invocation);
      if (cubes_seen == 0u) {
        sums = base_sums;
      }
    }
  }
  let n = f32(PIXELS);
  let first = first_word(clip, origin);
  let base_first = first_word(clip, base_origin);
  for (var i = invocation; i < TUBELET * PATCH * WORDS_PER_ROW; i += 64u) {
    let frame = i / (PATCH * WORDS_PER_ROW);
    let row = i / WORDS_PER_ROW % PATCH;
    let w = i % WORDS_PER_ROW;
    let word = row * ROW_WORDS + w;
    let x = unpack_bytes(frames[first + frame * FRAME_WORDS + word]);
    var base_frame = 0u;
    if (GROUP < TUBELET) {
      base_frame = frame / GROUP * GROUP;
    }
    let differs = elsewhere || base_frame != frame;
    let base = unpack_bytes(frames[base_first + base_frame * FRAME_WORDS + word]);
    let divisor = 255.0 * (rotate_f(sums.deviation, w) / 255.0 + 1e-6);
    var value = vec4f(0.0);
    if (!NORMALIZE) {
      value = vec4f(select(x, x - base, vec4<bool>(differs))) / 255.0;
    } else if (!differs) {
      value = vec4f(i32(PIXELS) * x - rotate_u(sums.total, w)) / (n * divisor);
    } else if (!elsewhere) {
      value = vec4f(x - base) / divisor;
    } else {
      let base_divisor = 255.0 * (rotate_f(base_sums.deviation, w) / 255.0 + 1e-6);
      value = vec4f(i32(PIXELS) * x - rotate_u(sums.total, w)) / (n * divisor)
          - vec4f(i32(PIXELS) * base - rotate_u(base_sums.total, w)) / (n * base_divisor);
    }
    if (!exists) {
      value = vec4f(not_a_number(token));
    }
    out[OUT_OFFSET_QUADS + cube * (TUBELET * PATCH * WORDS_PER_ROW) + i] = value;
  }
}
