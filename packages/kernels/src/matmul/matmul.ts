import { ShapeError } from '../runtime/errors.js';
import type { Runtime } from '../runtime/runtime.js';
import type { MatmulOperands } from './matmul-operands.js';

export type { MatmulOperands } from './matmul-operands.js';

/**
 * out = epilogue(alpha · op(A)·op(B)): see `MatmulOperands` for layouts and the order of the epilogue.
 * When A, B and out all have three axes the first is a batch axis: [G, M, K] · [G, K, N] → [G, M, N].
 * Throws `ShapeError` when shapes do not fit.
 */
export function matmul(_runtime: Runtime, operands: MatmulOperands): void {
  throw new ShapeError(`matmul cannot multiply ${operands.a} and ${operands.b} yet`);
}
