import { stridedMap, stridedReduce, type GpuArray } from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';
import { axisOf, keptShape } from './axes.js';
import { addGradient, requireF32 } from './pointwise.js';

/** exp(x) / Σ exp(x) over one axis, the last by default. dx = y · (dy − Σ dy · y). */
export function softmax(x: Tensor, { axis = -1 }: { axis?: number } = {}): Tensor {
  return normalised(x, axis, {
    name: 'softmax',
    value: 'exponential(a - largest) / total',
    summed: 'dy * y',
    derivative: 'y * (dy - total)',
  });
}

/** log(softmax(x)), to f32's accuracy also where that is close to 0. dx = dy − softmax(x) · Σ dy. */
export function logSoftmax(x: Tensor, { axis = -1 }: { axis?: number } = {}): Tensor {
  return normalised(x, axis, {
    name: 'log-softmax',
    value: 'a - largest - logarithm(total)',
    summed: 'dy',
    derivative: 'dy - exponential(y) * total',
  });
}

interface Normalisation {
  readonly name: string;
  /** Of a, the largest a and the total of exp(a − largest). */
  readonly value: string;
  /** What the backward pass sums over the axis, and the gradient made of that sum. */
  readonly summed: string;
  readonly derivative: string;
}

function normalised(x: Tensor, axis: number, { name, value, summed, derivative }: Normalisation): Tensor {
  requireF32(name, x);
  const { engine } = x;
  const { runtime } = engine;
  const at = axisOf(name, x, axis);
  const kept = keptShape(
    x.shape,
    x.shape.map((_, i) => i === at),
  );
  const reduce = (
    kernel: string,
    combination: 'largest' | 'sum',
    arrays: Record<string, GpuArray>,
    of: string,
  ) => {
    const out = runtime.empty(kept, 'f32', kernel);
    stridedReduce(runtime, { kernel, combination, inputs: asInputs(arrays), value: of, out });
    return out;
  };
  const largest = reduce('max', 'largest', { a: x.array }, 'a');
  const total = reduce('softmax-total', 'sum', { a: x.array, largest }, 'exponential(a - largest)');
  const out = engine.empty(x.shape, 'f32', name);
  stridedMap(runtime, { kernel: name, inputs: asInputs({ a: x.array, largest, total }), value, out });
  runtime.release(largest);
  runtime.release(total);
  const y = engine.output(out, [x], name);
  if (!y.requiresGrad) return y;
  engine.record({
    name,
    inputs: [x],
    outputs: [y],
    saved: [],
    backward: (gradients) => {
      const dy = gradients.of(y);
      const needsY = /\by\b/.test(summed);
      const sums = reduce(`${name}-backward-total`, 'sum', needsY ? { dy, y: out } : { dy }, summed);
      const inputs = asInputs({ dy, y: out, total: sums });
      addGradient(gradients, x, x.shape, { kernel: `${name}-backward`, inputs, value: derivative });
      runtime.release(sums);
    },
  });
  return y;
}

function asInputs(arrays: Readonly<Record<string, GpuArray>>): Record<string, { array: GpuArray }> {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, { array }]));
}
