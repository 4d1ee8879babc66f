// Functions of one number that WGSL lacks or computes with less than f32's accuracy, placed in front of kernels that need
// them; math/exponential.wgsl and math/logarithm.wgsl precede it.

fn sigmoid(x: f32) -> f32 {
  return 1.0 / (1.0 + exponential(-x));
}

// log(1 + eˣ), in a form that neither overflows nor loses the small results of large negative x.
fn softplus(x: f32) -> f32 {
  return max(x, 0.0) + logarithm_1p(exponential(-abs(x)));
}

// By a continued fraction next to zero, where 1 − 2/(e²ˣ + 1) would cancel.
fn hyperbolic_tangent(x: f32) -> f32 {
  let q = x * x;
  let near = x / (1.0 + q / (3.0 + q / (5.0 + q / (7.0 + q / 9.0))));
  let far = 1.0 - 2.0 / (exponential(2.0 * abs(x)) + 1.0);
  return select(sign(x) * far, near, abs(x) < 0.6);
}

// xʸ; of x below zero only whole powers are numbers.
fn power(x: f32, y: f32) -> f32 {
  let is_whole = y == trunc(y);
  let is_odd = is_whole && abs(y) < 16777216.0 && (i32(y) & 1) == 1;
  let of_zero = select(select(0.0, 1.0 / abs(x), y < 0.0), 1.0, y == 0.0);
  let size = select(exponential(y * logarithm(abs(x))), of_zero, x == 0.0 || y == 0.0);
  // The logarithm of a number below zero is not a number.
  return select(select(size, -size, is_odd && x < 0.0), log(x), x < 0.0 && !is_whole);
}

// The error function, to about 2e-7 absolute, and 2e-7 relative next to zero, by its series there and by GELU's normal
// distribution (gelu-function.wgsl, which precedes) elsewhere.
fn error_function(x: f32) -> f32 {
  let q = x * x;
  let near = 1.1283791671 * x * (1.0 - q * (0.33333333 - q * (0.1 - q * (0.023809524 - q * 0.0046296296))));
  return select(2.0 * normal_cdf(1.4142135624 * x) - 1.0, near, abs(x) < 0.4);
}
