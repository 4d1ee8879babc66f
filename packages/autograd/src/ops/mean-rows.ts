import { GpuArray, meanRows as meanRowsKernel, meanRowsBackward } from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';
import { withContiguous } from './contiguous.js';

/** y = mean of x over its last but one axis: x [..., L, C] (may be a strided view) → [..., C]. */
export function meanRows(x: Tensor): Tensor {
  const { engine } = x;
  const { runtime } = engine;
  const columns = x.extent(-1);
  const out = engine.empty([...x.shape.slice(0, -2), columns], 'f32', 'mean-rows');
  const asGroups = (array: GpuArray) => array.reshape([array.size / columns, columns]);
  meanRowsKernel(runtime, { x: mergeLeading(x.array), out: asGroups(out) });
  const y = engine.output(out, [x], 'mean-rows');
  if (y.requiresGrad) {
    engine.record({
      name: 'mean-rows',
      inputs: [x],
      outputs: [y],
      saved: [],
      backward: (gradients) => {
        withContiguous(y, gradients.of(y), (dy) => {
          const { array, accumulate } = gradients.target(x);
          meanRowsBackward(runtime, { dOut: asGroups(dy), dx: mergeLeading(array), accumulate });
        });
      },
    });
  }
  return y;
}

/** [..., L, C] as [G, L, C]; throws when the leading axes of a strided view do not merge. */
function mergeLeading(array: GpuArray): GpuArray {
  const leading = array.shape.length - 2;
  let groups = 1;
  let stride = 0;
  for (let axis = leading - 1; axis >= 0; axis--) {
    const extent = array.shape[axis]!;
    if (extent === 1) continue;
    if (groups === 1) stride = array.strides[axis]!;
    else if (array.strides[axis] !== stride * groups)
      throw new RangeError(`the leading axes of ${array} do not merge`);
    groups *= extent;
  }
  return new GpuArray(
    array.storage,
    array.dtype,
    [groups, ...array.shape.slice(-2)],
    [stride, ...array.strides.slice(-2)],
    array.offset,
  );
}
