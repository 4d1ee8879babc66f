import { rowScale as rowScaleKernel } from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';
import type { RowScaling } from './linear.js';

/** y[r] = scale[⌊r / rowsPerScale⌋] · x[r]: stochastic depth (Huang et al., 2016) with given draws. x [..., C]. */
export function scaleRows(x: Tensor, scaling: RowScaling): Tensor {
  const { engine } = x;
  const { runtime } = engine;
  const out = engine.empty(x.shape, 'f32', 'scale-rows');
  rowScaleKernel(runtime, { x: x.array, ...scaling, out });
  const y = engine.output(out, [x], 'scale-rows');
  if (y.requiresGrad) {
    engine.record({
      name: 'scale-rows',
      inputs: [x],
      outputs: [y],
      saved: [],
      backward: (gradients) => {
        const { array, accumulate } = gradients.target(x);
        rowScaleKernel(runtime, { x: gradients.of(y), ...scaling, out: array, accumulate });
      },
    });
  }
  return y;
}
