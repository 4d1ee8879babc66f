// GELU and its derivative for results that are stored in f16, placed in front of kernels instead of gelu-function.wgsl:
// GELU loses a hundredth of what that rounds, its derivative 5e-7, and one native exponential serves Φ and φ, where f32
// takes two accurate ones.
//
// Φ(−|x|) = e^(−x²/2) · t · P(t), t = 1/(1 + 0.254 |x|), with P of degree 6 fitted here to a relative error below 1e-7 for
// |x| ≤ 6.5 (weighted least squares, weights raised where the error is largest; the form is that of Hastings,
// Approximations for Digital Computers). Beyond, results are less than f16 has.

struct Normal {
  cdf: f32,
  bell: f32, // e^(−x²/2)
}

fn normal(x: f32) -> Normal {
  let bell = exp(-0.5 * x * x);
  let t = 1.0 / (1.0 + 0.254 * abs(x));
  let p = 0.1004807892 + t * (0.1120948438 + t * (0.03733600588 + t * (0.2485683963 + t * (-0.2175370184 +
      t * (0.3060341931 + t * -0.08697724642)))));
  let tail = bell * t * p;
  return Normal(select(tail, 1.0 - tail, x >= 0.0), bell);
}

// GELU(x) = x · Φ(x).
fn gelu(x: f32) -> f32 {
  return x * normal(x).cdf;
}

// GELU′(x) = Φ(x) + x · φ(x), φ the standard normal density.
fn gelu_derivative(x: f32) -> f32 {
  let at = normal(x);
  return at.cdf + x * 0.39894228040143268 * at.bell;
}
