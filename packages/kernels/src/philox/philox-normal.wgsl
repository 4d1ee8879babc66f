// Box–Muller on two Philox draws, a library piece; philox.wgsl precedes it.
//
//   r = √(−2 ln(((x >> 8) + 1) · 2⁻²⁴)),  θ = 2π · (y >> 8) · 2⁻²⁴,  result (r cos θ, r sin θ).
//
// WGSL promises its own log only to 2⁻²¹ near 1 and sin and cos only to 2⁻¹¹, both too coarse, so both are
// computed here. The reductions are done on the integers, where they are exact.

// −ln(m · 2⁻²⁴) for m from 1 to 2²⁴. With m = 2ᵉ · f, f in [√½, √2), and s = (f − 1)/(f + 1):
// ln f = 2 (s + s³/3 + s⁵/5 + s⁷/7 + s⁹/9 + …); |s| ≤ 0.172, so the first term left out is below 4e-10.
fn negative_log24(m: u32) -> f32 {
  let bits = bitcast<u32>(f32(m));
  var exponent = 24.0 - (f32(bits >> 23u) - 127.0);
  var f = bitcast<f32>((bits & 0x7fffffu) | 0x3f800000u);
  if (f > 1.4142135) {
    f = f * 0.5;
    exponent = exponent - 1.0;
  }
  let s = (f - 1.0) / (f + 1.0);
  let q = s * s;
  let series = s * (2.0 + q * (0.66666667 + q * (0.4 + q * (0.28571429 + q * 0.22222222))));
  return exponent * 0.69314718 - series;
}

// (cos, sin) of 2π · k · 2⁻²⁴ for k below 2²⁴: the nearest quarter turn is taken off in integers, which leaves an
// angle in [−π/4, π/4] where the Taylor series to degree 9 and 10 are exact to f32.
fn unit_circle24(k: u32) -> vec2f {
  let quarter = (k + 0x200000u) >> 22u;
  let a = f32(i32(k) - i32(quarter << 22u)) * 3.7450702829238413e-7;
  let q = a * a;
  let sine = a * (1.0 + q * (-0.16666667 + q * (0.0083333333 + q * (-0.00019841270 + q * 2.7557319e-6))));
  let cosine = 1.0 + q * (-0.5 + q * (0.041666667 + q * (-0.0013888889 + q * (2.4801587e-5 - q * 2.7557319e-7))));
  let odd = (quarter & 1u) == 1u;
  let c = select(cosine, sine, odd);
  let s = select(sine, cosine, odd);
  let turn = quarter & 3u;
  return vec2f(select(c, -c, turn == 1u || turn == 2u), select(s, -s, turn >= 2u));
}

// Two standard normal numbers from two draws.
fn philox_normal_pair(x: u32, y: u32) -> vec2f {
  return sqrt(2.0 * negative_log24((x >> 8u) + 1u)) * unit_circle24(y >> 8u);
}
