// Pixels of one word each, red | green << 8 | blue << 16, as bytes of red, green and blue, four to a word.
//
// Header: COUNT (groups of four pixels), GRID_X, PIXELS_OFFSET, OUT_OFFSET_WORDS. One invocation packs four pixels into three words.

var<storage, read> pixels: array<u32>;
var<storage, read_write> frames: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let i = (group.x + group.y * GRID_X) * 64u + invocation;
  if (i >= COUNT) {
    return;
  }
  let place = PIXELS_OFFSET + 4u * i;
  let a = pixels[place] & 0xffffffu;
  let b = pixels[place + 1u] & 0xffffffu;
  let c = pixels[place + 2u] & 0xffffffu;
  let d = pixels[place + 3u] & 0xffffffu;
  let to = OUT_OFFSET_WORDS + 3u * i;
  frames[to] = a | (b << 24u);
  frames[to + 1u] = (b >> 8u) | (c << 16u);
  frames[to + 2u] = (c >> 16u) | (d << 8u);
}
