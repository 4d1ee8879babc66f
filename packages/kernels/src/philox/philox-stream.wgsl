// One invocation's sequential stream of Philox draws, a library piece; philox.wgsl precedes it.
// The draws and the integers made of them are those of PhiloxStream in philox.ts, in the same order.

var<private> stream_counter: vec4u = vec4u(0u);
var<private> stream_key: vec2u = vec2u(0u);
var<private> stream_block: vec4u = vec4u(0u);
var<private> stream_position: u32 = 4u;

fn stream_start(key: vec2u, purpose: u32, epoch: u32, sample: u32) {
  stream_counter = vec4u(0u, sample, epoch, purpose);
  stream_key = key;
  stream_position = 4u;
}

fn stream_next() -> u32 {
  if (stream_position == 4u) {
    stream_block = philox4x32(stream_counter, stream_key);
    stream_counter.x = stream_counter.x + 1u;
    stream_position = 0u;
  }
  let draw = stream_block[stream_position];
  stream_position = stream_position + 1u;
  return draw;
}

// Uniform over 0 … n − 1 without bias, n ≥ 1: draws in the incomplete last run of n are passed over.
fn stream_integer(n: u32) -> u32 {
  let excess = (0xffffffffu % n + 1u) % n; // 2³² mod n
  var draw = stream_next();
  while (excess != 0u && draw >= 0u - excess) {
    draw = stream_next();
  }
  return draw % n;
}
