// Philox 4×32-10, a library piece that precedes kernels which draw random numbers; mul-high.wgsl precedes it.
//
// Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. The same bits as philox.ts,
// whose header gives the layout of counter (block, sample, epoch, purpose) and key (seed low, seed high).

fn philox4x32(counter: vec4u, key: vec2u) -> vec4u {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let high0 = mul_high(0xd2511f53u, c.x);
    let low0 = 0xd2511f53u * c.x;
    let high1 = mul_high(0xcd9e8d57u, c.z);
    let low1 = 0xcd9e8d57u * c.z;
    c = vec4u(high1 ^ c.y ^ k.x, low1, high0 ^ c.w ^ k.y, low0);
    k = k + vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}
