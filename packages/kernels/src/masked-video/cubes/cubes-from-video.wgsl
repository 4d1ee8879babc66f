// Cubes gathered from a clip that is already normalised: out[b, i, (c, kt, kh, kw)] = video[b, c, t, h, w] at the
// pixel of token indices[b, i].
//
// Header: CUBES, COUNT (quads of pixels of a clip), FRAMES, HEIGHT, WIDTH, TOKENS, VIDEO_OFFSET_QUADS, INDICES_OFFSET,
// OUT_OFFSET_QUADS; cube-address.wgsl; cubes-rounds.wgsl follows.
// Layout: video [B, 3, T, H, W] f32; out [B, n, 3·TUBELET·PATCH·PATCH] f32, kw fastest. A quad is four neighbouring
// pixels of one channel. An index beyond the clip gives NaN.

var<storage, read> video: array<vec4f>;
#if indices
var<storage, read> indices: array<u32>;
#end
var<storage, read_write> out: array<vec4f>;

fn take_quad(clip: u32, i: u32) {
  const QUADS_PER_ROW = PATCH / 4u;
  const PLANE = TUBELET * PATCH * QUADS_PER_ROW;
  let cube = i / (3u * PLANE);
  let channel = i / PLANE % 3u;
  let within = i % PLANE;
#if indices
  let token = indices[INDICES_OFFSET + clip * CUBES + cube];
#else
  let token = cube;
#end
  let target_quad = OUT_OFFSET_QUADS + clip * COUNT + i;
  if (token >= TOKENS) {
    out[target_quad] = vec4f(not_a_number(token));
    return;
  }
  let origin = cube_origin(token);
  let frame = origin.x + within / (PATCH * QUADS_PER_ROW);
  let row = origin.y + within / QUADS_PER_ROW % PATCH;
  let column = origin.z + within % QUADS_PER_ROW * 4u;
  let plane = (clip * 3u + channel) * FRAMES + frame;
  out[target_quad] = video[VIDEO_OFFSET_QUADS + ((plane * HEIGHT + row) * WIDTH + column) / 4u];
}
