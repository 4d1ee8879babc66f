import { gelu as geluKernel, geluBackward } from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';

/** y = x · Φ(x), exact (erf) form (Hendrycks & Gimpel, 2016). dx = dy · (Φ(x) + x · φ(x)). */
export function gelu(x: Tensor): Tensor {
  const { engine } = x;
  const out = engine.empty(x.shape, 'f32', 'gelu');
  geluKernel(engine.runtime, x.array, out);
  const y = engine.output(out, [x], 'gelu');
  if (y.requiresGrad) {
    engine.record({
      name: 'gelu',
      inputs: [x],
      outputs: [y],
      saved: [],
      backward: (gradients) => {
        const { array, accumulate } = gradients.target(x);
        geluBackward(engine.runtime, x.array, gradients.of(y), array, { accumulate });
      },
    });
  }
  return y;
}
