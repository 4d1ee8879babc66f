import type { Tensor } from '../engine/tensor.js';
import { add, mul, pow } from './arithmetic.js';
import { mean } from './reductions.js';

/** weight · x / √(mean(x²) + ε) over the last axis (Zhang & Sennrich, 2019). x [..., C], weight [C]. */
export function rmsNorm(x: Tensor, weight: Tensor, { epsilon = 1e-6 } = {}): Tensor {
  const meanSquare = mean(mul(x, x), { axes: [-1], keepDims: true });
  return mul(mul(x, pow(add(meanSquare, epsilon), -0.5)), weight);
}
