import { fill, rowGather, rowScatter, type GpuArray } from '@tubelet/kernels';
import type { Tensor } from '../tensor.js';

/**
 * y[g, i] = x[g, indices[g, i]]: x [G, P, C], indices u32 [G, I] without repetition within a group → [G, I, C].
 * Backward scatters dy to the named rows; the others get zero.
 */
export function gatherRows(x: Tensor, indices: GpuArray): Tensor {
  const { engine } = x;
  const { runtime } = engine;
  const out = engine.empty([x.extent(0), indices.shape[1]!, x.extent(2)], 'f32', 'gather-rows');
  rowGather(runtime, { x: x.array, indices, out });
  const y = engine.output(out, [x], 'gather-rows');
  if (y.requiresGrad) {
    engine.record({
      name: 'gather-rows',
      inputs: [x],
      outputs: [y],
      saved: [],
      backward: (gradients) => {
        const { array, accumulate } = gradients.target(x);
        if (!accumulate) fill(runtime, { out: array, value: 0 });
        rowScatter(runtime, { x: gradients.of(y), indices, out: array, accumulate: true });
      },
    });
  }
  return y;
}

/**
 * y[g, indices[g, i]] = x[g, i], other rows zero: the opposite of `gatherRows`. x [G, I, C] → [G, rows, C].
 */
export function scatterRows(x: Tensor, indices: GpuArray, rows: number): Tensor {
  const { engine } = x;
  const { runtime } = engine;
  const out = engine.empty([x.extent(0), rows, x.extent(2)], 'f32', 'scatter-rows');
  fill(runtime, { out, value: 0 });
  rowScatter(runtime, { x: x.array, indices, out });
  const y = engine.output(out, [x], 'scatter-rows');
  if (y.requiresGrad) {
    engine.record({
      name: 'scatter-rows',
      inputs: [x],
      outputs: [y],
      saved: [],
      backward: (gradients) =>
        gradients.overwrite(x, (array) => rowGather(runtime, { x: gradients.of(y), indices, out: array })),
    });
  }
  return y;
}
