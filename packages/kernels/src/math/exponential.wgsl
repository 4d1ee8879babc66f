// eˣ for x ≤ 88, to about 1e-7 relative, placed in front of kernels that sum exponentials. Below −87 the result is 0 (no
// subnormal numbers), above 88.4 it is infinite, and NaN stays NaN: what is not finite must show in a result.
//
// WGSL allows its own exp an error that grows with |x|, and drivers use that: on llvmpipe the built-in is 1e-6 off at
// −20 and always too large, which makes the gradients of a softmax noisier. Here x = n·ln 2 + r with ln 2 in two
// parts (Cody & Waite, 1980), a Taylor polynomial of degree 7 on |r| ≤ ½ ln 2, and 2ⁿ put together from its bits.

// Limits by comparison: min and max may drop a NaN.
fn exponential4(x: vec4f) -> vec4f {
  let is_small = x < vec4f(-87.0);
  let v = select(select(x, vec4f(89.0), x > vec4f(89.0)), vec4f(-87.0), is_small);
  let n = round(v * 1.44269504);
  let r = (v - n * 0.693145751953125) - n * 1.42860682e-6;
  let p = 1.0 + r * (1.0 + r * (0.5 + r * (0.16666667 + r * (0.041666667 + r * (0.0083333333 +
      r * (0.0013888889 + r * 0.00019841270))))));
  return select(p * bitcast<vec4f>(vec4u(vec4i(n) + 127) << vec4u(23u)), vec4f(), is_small);
}

fn exponential(x: f32) -> f32 {
  return exponential4(vec4f(x)).x;
}
