import { rowAdd } from '@tubelet/kernels';
import type { Tensor } from '../tensor.js';

/** y = a + b, same shapes. da = dy, db = dy. */
export function add(a: Tensor, b: Tensor): Tensor {
  if (a.shape.length !== b.shape.length || a.shape.some((extent, axis) => extent !== b.shape[axis])) {
    throw new RangeError(`add() needs equal shapes, got ${a} and ${b}`);
  }
  const { engine } = a;
  const { runtime } = engine;
  const out = engine.empty(a.shape, 'f32', 'add');
  rowAdd(runtime, { a: a.array, out });
  rowAdd(runtime, { a: b.array, out, accumulate: true });
  const y = engine.output(out, [a, b], 'add');
  if (y.requiresGrad) {
    engine.record({
      name: 'add',
      inputs: [a, b],
      outputs: [y],
      saved: [],
      backward: (gradients) => {
        const dy = gradients.of(y);
        if (b.requiresGrad) {
          // `a` is given the buffer itself, so `b` gets a copy.
          const { array, accumulate } = gradients.target(b);
          rowAdd(runtime, { a: dy, out: array, accumulate });
        }
        gradients.donate(a, dy);
      },
    });
  }
  return y;
}
