// The standard normal distribution function, accurate to f32, placed in front of every kernel that applies GELU
// (after math/exponential.wgsl).
//
// Φ(x) = ½ erfc(−x/√2). erfc is the rational-exponential fit t·exp(−z² + p(t)), t = 1/(1 + z/2), of
// Press et al., Numerical Recipes (fractional error below 1.2e-7 for all z ≥ 0). Working on erfc keeps the
// relative accuracy of the left tail, which 1 + erf would lose.

fn normal_cdf(x: f32) -> f32 {
  let z = abs(x) * 0.70710678118654752;
  let t = 1.0 / (1.0 + 0.5 * z);
  let p = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 +
      t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let half_erfc = 0.5 * t * exponential(p - z * z);
  return select(half_erfc, 1.0 - half_erfc, x >= 0.0);
}

// GELU(x) = x · Φ(x).
fn gelu(x: f32) -> f32 {
  return x * normal_cdf(x);
}

// GELU′(x) = Φ(x) + x · φ(x), φ the standard normal density.
fn gelu_derivative(x: f32) -> f32 {
  return normal_cdf(x) + x * 0.39894228040143268 * exponential(-0.5 * x * x);
}
