import type { Tensor } from '../engine/tensor.js';
import { pointwise } from './pointwise.js';

/** max(x, 0); its gradient at 0 is 0. */
export function relu(x: Tensor): Tensor {
  const value = 'select(a, 0.0, a < 0.0)';
  return pointwise({ name: 'relu', value, gradients: { a: 'select(0.0, dy, a > 0.0)' } }, { a: x });
}

/** 1 / (1 + e⁻ˣ). */
export function sigmoid(x: Tensor): Tensor {
  return pointwise(
    { name: 'sigmoid', value: 'sigmoid(a)', gradients: { a: 'dy * y * (1.0 - y)' } },
    { a: x },
  );
}

/** x · sigmoid(x) (Elfwing et al., 2018), also called swish. */
export function silu(x: Tensor): Tensor {
  const gradients = { a: 'dy * sigmoid(a) * (1.0 + a * (1.0 - sigmoid(a)))' };
  return pointwise({ name: 'silu', value: 'a * sigmoid(a)', gradients }, { a: x });
}

/** The hyperbolic tangent. */
export function tanh(x: Tensor): Tensor {
  const value = 'hyperbolic_tangent(a)';
  return pointwise({ name: 'tanh', value, gradients: { a: 'dy * (1.0 - y * y)' } }, { a: x });
}

/** log(1 + eˣ). */
export function softplus(x: Tensor): Tensor {
  return pointwise({ name: 'softplus', value: 'softplus(a)', gradients: { a: 'dy * sigmoid(a)' } }, { a: x });
}

/** The error function. */
export function erf(x: Tensor): Tensor {
  const gradients = { a: 'dy * 1.1283791671 * exponential(-a * a)' };
  return pointwise({ name: 'erf', value: 'error_function(a)', gradients }, { a: x });
}
