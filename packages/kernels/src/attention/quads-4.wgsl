// Four channels of a row at a time, for kernels on matrix units and of windows, where lanes are vec4 (lanes-4.wgsl).
// Quads beyond the head are zero, and are not stored.

fn quad_of(source: ptr<storage, array<Lane>, read>, row: u32, quad: u32) -> vec4f {
  if (4u * HEAD_LANES == DEPTH) {
    return (*source)[row + quad];
  }
  return select(vec4f(), (*source)[row + min(quad, HEAD_LANES - 1u)], quad < HEAD_LANES);
}

fn store_quad(destination: ptr<storage, array<Lane>, read_write>, row: u32, quad: u32, value: vec4f) {
  if (quad < HEAD_LANES) {
    (*destination)[row + quad] = value;
  }
}
