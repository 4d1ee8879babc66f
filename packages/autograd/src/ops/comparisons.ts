import type { Tensor } from '../engine/tensor.js';
import { pointwise, type Operand } from './pointwise.js';

/*
 * Comparisons give masks: f32 tensors of 1 where they hold and 0 elsewhere, without a gradient. Operands broadcast; those
 * that are not numbers compare as in JavaScript.
 */

function compare(name: string, sign: string, a: Operand, b: Operand): Tensor {
  return pointwise({ name, value: `select(0.0, 1.0, a ${sign} b)` }, { a, b });
}

/** Where a = b. */
export function equal(a: Operand, b: Operand): Tensor {
  return compare('equal', '==', a, b);
}

/** Where a < b. */
export function less(a: Operand, b: Operand): Tensor {
  return compare('less', '<', a, b);
}

/** Where a ≤ b. */
export function lessOrEqual(a: Operand, b: Operand): Tensor {
  return compare('less-or-equal', '<=', a, b);
}

/** Where a > b. */
export function greater(a: Operand, b: Operand): Tensor {
  return compare('greater', '>', a, b);
}

/** Where a ≥ b. */
export function greaterOrEqual(a: Operand, b: Operand): Tensor {
  return compare('greater-or-equal', '>=', a, b);
}

/** a where the mask is not 0, else b; all three broadcast. The mask has no gradient. */
export function where(mask: Tensor, a: Operand, b: Operand): Tensor {
  const value = 'select(b, a, c != 0.0)';
  const gradients = { a: 'select(0.0, dy, c != 0.0)', b: 'select(dy, 0.0, c != 0.0)' };
  return pointwise({ name: 'where', value, gradients }, { a, b, c: mask });
}
