// The high 32 bits of the 64-bit product of two u32, a library piece: WGSL has no 64-bit integers.
//
// Schoolbook multiplication in 16-bit halves; no partial sum exceeds 65535² + 65535 < 2³².

fn mul_high(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let middle = a1 * b0 + ((a0 * b0) >> 16u);
  let other = a0 * b1 + (middle & 0xffffu);
  return a1 * b1 + (middle >> 16u) + (other >> 16u);
}
