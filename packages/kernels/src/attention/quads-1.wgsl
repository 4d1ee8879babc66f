// Four channels of a row at a time, for kernels on matrix units and of windows, where lanes are single (lanes-1.wgsl).
// Channels beyond the head are zero, and are not stored.

fn channel_of(source: ptr<storage, array<Lane>, read>, row: u32, channel: u32) -> f32 {
  return select(0.0, (*source)[row + min(channel, HEAD_LANES - 1u)], channel < HEAD_LANES);
}

fn quad_of(source: ptr<storage, array<Lane>, read>, row: u32, quad: u32) -> vec4f {
  let c = 4u * quad;
  return vec4f(
    channel_of(source, row, c),
    channel_of(source, row, c + 1u),
    channel_of(source, row, c + 2u),
    channel_of(source, row, c + 3u),
  );
}

fn store_channel(destination: ptr<storage, array<Lane>, read_write>, row: u32, channel: u32, value: f32) {
  if (channel < HEAD_LANES) {
    (*destination)[row + channel] = value;
  }
}

fn store_quad(destination: ptr<storage, array<Lane>, read_write>, row: u32, quad: u32, value: vec4f) {
  let c = 4u * quad;
  store_channel(destination, row, c, value.x);
  store_channel(destination, row, c + 1u, value.y);
  store_channel(destination, row, c + 2u, value.z);
  store_channel(destination, row, c + 3u, value.w);
}
