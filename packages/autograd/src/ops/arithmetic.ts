import { f32 } from '@tubelet/kernels';
import { type Tensor } from '../engine/tensor.js';
import { pointwise, type Operand } from './pointwise.js';

/*
 * Arithmetic on elements, in f32. Operands broadcast as in NumPy: axes are aligned from the last one, and those of
 * extent 1 repeat. Numbers stand for tensors that are the same everywhere. `ShapeError` names shapes that do not
 * broadcast.
 */

/** a + b. */
export function add(a: Operand, b: Operand): Tensor {
  return pointwise({ name: 'add', value: 'a + b', gradients: { a: 'dy', b: 'dy' } }, { a, b });
}

/** a − b. */
export function sub(a: Operand, b: Operand): Tensor {
  return pointwise({ name: 'sub', value: 'a - b', gradients: { a: 'dy', b: '-dy' } }, { a, b });
}

/** a · b, element by element. */
export function mul(a: Operand, b: Operand): Tensor {
  return pointwise({ name: 'mul', value: 'a * b', gradients: { a: 'dy * b', b: 'dy * a' } }, { a, b });
}

/** a / b. */
export function div(a: Operand, b: Operand): Tensor {
  return pointwise({ name: 'div', value: 'a / b', gradients: { a: 'dy / b', b: '-dy * y / b' } }, { a, b });
}

/** aᵇ. Not a number for a below zero and b that is not whole. The gradient of b is 0 where a is not above zero. */
export function pow(a: Operand, b: Operand): Tensor {
  const gradients = {
    // Also at a = 0, where y / a is not a number.
    a: 'dy * b * power(a, b - 1.0)',
    b: 'select(0.0, dy * y * logarithm(a), a > 0.0)',
  };
  return pointwise({ name: 'pow', value: 'power(a, b)', gradients }, { a, b });
}

/** The larger of a and b; where they are equal, each is given half of the gradient. */
export function maximum(a: Operand, b: Operand): Tensor {
  const share = (mine: string, other: string) =>
    `dy * select(select(0.0, 1.0, ${mine} > ${other}), 0.5, ${mine} == ${other})`;
  const gradients = { a: share('a', 'b'), b: share('b', 'a') };
  return pointwise({ name: 'maximum', value: 'select(b, a, a >= b || a != a)', gradients }, { a, b });
}

/** The smaller of a and b; where they are equal, each is given half of the gradient. */
export function minimum(a: Operand, b: Operand): Tensor {
  const share = (mine: string, other: string) =>
    `dy * select(select(0.0, 1.0, ${mine} < ${other}), 0.5, ${mine} == ${other})`;
  const gradients = { a: share('a', 'b'), b: share('b', 'a') };
  return pointwise({ name: 'minimum', value: 'select(b, a, a <= b || a != a)', gradients }, { a, b });
}

/** −x. */
export function neg(x: Tensor): Tensor {
  return pointwise({ name: 'neg', value: '-a', gradients: { a: '-dy' } }, { a: x });
}

/** |x|; its gradient at 0 is 0. */
export function abs(x: Tensor): Tensor {
  return pointwise({ name: 'abs', value: 'abs(a)', gradients: { a: 'dy * sign(a)' } }, { a: x });
}

/** eˣ, to 1e-7 relative; 0 for x below −87. */
export function exp(x: Tensor): Tensor {
  return pointwise({ name: 'exp', value: 'exponential(a)', gradients: { a: 'dy * y' } }, { a: x });
}

/** The natural logarithm, to 1e-7 relative. */
export function log(x: Tensor): Tensor {
  return pointwise({ name: 'log', value: 'logarithm(a)', gradients: { a: 'dy / a' } }, { a: x });
}

/** √x. */
export function sqrt(x: Tensor): Tensor {
  return pointwise({ name: 'sqrt', value: 'sqrt(a)', gradients: { a: '0.5 * dy / y' } }, { a: x });
}

/**
 * x, or the limit that it lies beyond; the gradient there is 0.
 *
 * @throws RangeError where `least` is above `most`
 */
export function clamp(x: Tensor, least: number, most: number): Tensor {
  if (!(least <= most)) throw new RangeError(`clamp: the limits ${least} and ${most} must be in order`);
  const value = 'select(select(a, LEAST, a < LEAST), MOST, a > MOST)';
  const gradients = { a: 'select(0.0, dy, a >= LEAST && a <= MOST)' };
  // An infinite limit limits nothing.
  const limit = (number: number) => f32(Math.max(-3.4028234e38, Math.min(3.4028234e38, number)));
  return pointwise({ name: 'clamp', value, gradients }, { a: x }, { LEAST: limit(least), MOST: limit(most) });
}
