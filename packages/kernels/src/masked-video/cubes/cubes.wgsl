// Cubes (tubelet embedding inputs) gathered from uint8 frames and normalised: the rows that the patch-embedding
// matrix multiplies, without an im2col of the whole clip.
//
//   out[b, i, (c, kt, kh, kw)] = (x / 255 − mean_c) / std_c,  x the byte of clip b at the pixel of token indices[b, i]
//
// Header: CUBES (tokens per clip), FRAMES, HEIGHT, WIDTH, TOKENS, FRAMES_OFFSET_WORDS, INDICES_OFFSET,
// OUT_OFFSET_QUADS, SCALE_c = 1/(255 std_c), SHIFT_c = −mean_c/std_c; cube-address.wgsl; cubes-rounds.wgsl follows.
// Layout: frames [B, T, H, W, 3] bytes, four to a word; out [B, n, 3·TUBELET·PATCH·PATCH] f32, kw fastest.
// A quad is four neighbouring pixels, i.e. three words, each read once, and becomes one vec4 of each channel's plane;
// neighbouring invocations write neighbouring vec4s. An index beyond the clip gives NaN.

var<storage, read> frames: array<u32>;
#if indices
var<storage, read> indices: array<u32>;
#end
var<storage, read_write> out: array<vec4f>;

fn take_quad(clip: u32, i: u32) {
  const QUADS_PER_ROW = PATCH / 4u;
  const PLANE = TUBELET * PATCH * QUADS_PER_ROW;
  let cube = i / PLANE;
  let within = i % PLANE;
#if indices
  let token = indices[INDICES_OFFSET + clip * CUBES + cube];
#else
  let token = cube;
#end
  let target_quad = OUT_OFFSET_QUADS + (clip * CUBES + cube) * 3u * PLANE + within;
  if (token >= TOKENS) {
    for (var c = 0u; c < 3u; c++) {
      out[target_quad + c * PLANE] = vec4f(not_a_number(token));
    }
    return;
  }
  let origin = cube_origin(token);
  let frame = origin.x + within / (PATCH * QUADS_PER_ROW);
  let row = origin.y + within / QUADS_PER_ROW % PATCH;
  let column = origin.z + within % QUADS_PER_ROW * 4u;
  let word = FRAMES_OFFSET_WORDS + (((clip * FRAMES + frame) * HEIGHT + row) * WIDTH + column) / 4u * 3u;
  let a = frames[word];
  let b = frames[word + 1u];
  let d = frames[word + 2u];
  // Bytes r g b r | g b r g | b r g b.
  let red = vec4u(a & 0xffu, a >> 24u, (b >> 16u) & 0xffu, (d >> 8u) & 0xffu);
  let green = vec4u((a >> 8u) & 0xffu, b & 0xffu, b >> 24u, (d >> 16u) & 0xffu);
  let blue = vec4u((a >> 16u) & 0xffu, (b >> 8u) & 0xffu, d & 0xffu, d >> 24u);
  out[target_quad] = vec4f(red) * SCALE_0 + SHIFT_0;
  out[target_quad + PLANE] = vec4f(green) * SCALE_1 + SHIFT_1;
  out[target_quad + 2u * PLANE] = vec4f(blue) * SCALE_2 + SHIFT_2;
}
