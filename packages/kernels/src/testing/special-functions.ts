/**
 * erfc in float64, to about 1e-15 relative: the Taylor series of erf near zero, and the Laplace continued
 * fraction √π·e^{z²}·erfc(z) = 1/(z + ½/(z + 1/(z + 3⁄2/(z + …)))) beyond, evaluated from the far end.
 */
export function erfc(z: number): number {
  if (z < 0) return 2 - erfc(-z);
  if (z < 2.5) {
    // erf(z) = 2/√π · e^{−z²} · Σ 2ⁿ z^{2n+1} / (2n+1)!!, whose terms are all positive.
    let term = z;
    let sum = z;
    for (let n = 1; term > sum * 1e-18 && n < 200; n++) {
      term *= (2 * z * z) / (2 * n + 1);
      sum += term;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * sum;
  }
  let tail = z;
  for (let k = 120; k >= 1; k--) tail = z + k / 2 / tail;
  return Math.exp(-z * z) / (Math.sqrt(Math.PI) * tail);
}
