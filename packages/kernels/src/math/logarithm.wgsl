// The natural logarithm to about 1e-7 relative, also next to 1, placed in front of kernels that need it: WGSL allows its own
// log an error of 2⁻²¹ between ½ and 2, and drivers use that.
//
// x = m · 2ⁿ with √½ ≤ m < √2 and log m = 2 artanh s for s = (m − 1) / (m + 1), by its series up to s¹³.

// 2 artanh s for |s| ≤ ⅓.
fn twice_artanh(s: f32) -> f32 {
  let q = s * s;
  return 2.0 * s * (1.0 + q * (0.33333333 + q * (0.2 + q * (0.14285714 + q * (0.11111111 + q * (0.090909091 +
      q * 0.076923077))))));
}

fn logarithm(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  // What is added carries into the exponent for mantissas from √2 on.
  let n = i32((bits + 0x4afb0du) >> 23u) - 127;
  let m = bitcast<f32>(bits - (u32(n) << 23u));
  let value = f32(n) * 0.693145751953125 + (f32(n) * 1.42860682e-6 + twice_artanh((m - 1.0) / (m + 1.0)));
  // What is no positive normal number is left to the built-in function: its result is infinite or not a number.
  return select(log(x), value, x >= 1.1754944e-38 && x <= 3.4028234e38);
}

// log(1 + u) for 0 ≤ u ≤ 1, relative to the result however small u is.
fn logarithm_1p(u: f32) -> f32 {
  return twice_artanh(u / (2.0 + u));
}
