import { f32, stridedMap, stridedReduce, type GpuArray } from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';
import { axisOf, chosenAxes, keptShape, withAxes } from './axes.js';
import { addGradient, requireF32, sumInto } from './pointwise.js';

/** Which axes of a tensor are reduced. */
export interface ReductionOptions {
  /** Negative ones count from the last; default all. */
  readonly axes?: readonly number[];
  /** Keep reduced axes with extent 1; default false. */
  readonly keepDims?: boolean;
}

/** Σ x over the axes. */
export function sum(x: Tensor, options: ReductionOptions = {}): Tensor {
  return total('sum', x, options, 1);
}

/** The mean of x over the axes. */
export function mean(x: Tensor, options: ReductionOptions = {}): Tensor {
  const isReduced = chosenAxes('mean', x, options.axes);
  const count = x.shape.reduce((product, extent, axis) => (isReduced[axis] ? product * extent : product), 1);
  return total('mean', x, options, 1 / count);
}

/** The largest of x over the axes, or not a number where one is none; equal ones share its gradient. */
export function max(x: Tensor, options: ReductionOptions = {}): Tensor {
  return extreme('max', x, options);
}

/** The smallest of x over the axes, or not a number where one is none; equal ones share its gradient. */
export function min(x: Tensor, options: ReductionOptions = {}): Tensor {
  return extreme('min', x, options);
}

/**
 * Where x is largest along an axis, or in all of it, row by row, without one: the first of equal places, or of those that
 * hold what is not a number. i32, without a gradient.
 *
 * @throws RangeError for more than 2²⁴ elements along it
 */
export function argmax(
  x: Tensor,
  { axis, keepDims = false }: { axis?: number; keepDims?: boolean } = {},
): Tensor {
  requireF32('argmax', x);
  const { engine } = x;
  const { runtime } = engine;
  const isReduced = chosenAxes('argmax', x, axis === undefined ? undefined : [axisOf('argmax', x, axis)]);
  const kept = keptShape(x.shape, isReduced);
  const count = x.array.size / kept.reduce((a, b) => a * b, 1);
  if (count > 2 ** 24) throw new RangeError(`argmax: ${count} elements of ${x} are more than 2^24`);
  const largest = engine.empty(kept, 'f32', 'largest');
  const first = engine.empty(kept, 'f32', 'argmax');
  const out = engine.empty(kept, 'i32', 'argmax');
  const inputs = { a: { array: x.array } };
  stridedReduce(runtime, { kernel: 'max', combination: 'largest', inputs, value: 'a', out: largest });
  stridedReduce(runtime, {
    kernel: 'argmax',
    combination: 'smallest',
    inputs: { ...inputs, b: { array: largest } },
    // Where there is one that is not a number, b is none either and equals nothing.
    value: 'select(3.4028234e38, f32(element), a == b || is_not_a_number(a))',
    out: first,
  });
  stridedMap(runtime, { kernel: 'to-i32', inputs: { a: { array: first } }, value: 'a', out });
  runtime.release(largest);
  runtime.release(first);
  return engine.output(out.reshape(outputShape(x, isReduced, keepDims)), [], 'argmax');
}

function total(
  name: string,
  x: Tensor,
  { axes, keepDims = false }: ReductionOptions,
  factor: number,
): Tensor {
  requireF32(name, x);
  const { engine } = x;
  const isReduced = chosenAxes(name, x, axes);
  const out = engine.empty(keptShape(x.shape, isReduced), 'f32', name);
  const isSum = factor === 1;
  stridedReduce(engine.runtime, {
    kernel: name,
    combination: 'sum',
    inputs: { a: { array: x.array } },
    value: isSum ? 'a' : 'a * FACTOR',
    data: isSum ? {} : { FACTOR: f32(factor) },
    out,
  });
  const y = engine.output(out.reshape(outputShape(x, isReduced, keepDims)), [x], name);
  if (!y.requiresGrad) return y;
  engine.record({
    name,
    inputs: [x],
    outputs: [y],
    saved: [],
    backward: (gradients) =>
      addGradient(gradients, x, x.shape, {
        kernel: `${name}-backward`,
        inputs: { dy: { array: withAxes(gradients.of(y), isReduced) } },
        value: isSum ? 'dy' : 'dy * FACTOR',
        data: isSum ? {} : { FACTOR: f32(factor) },
      }),
  });
  return y;
}

function extreme(name: 'max' | 'min', x: Tensor, { axes, keepDims = false }: ReductionOptions): Tensor {
  requireF32(name, x);
  const { engine } = x;
  const { runtime } = engine;
  const isReduced = chosenAxes(name, x, axes);
  const out = engine.empty(keptShape(x.shape, isReduced), 'f32', name);
  stridedReduce(runtime, {
    kernel: name,
    combination: name === 'max' ? 'largest' : 'smallest',
    inputs: { a: { array: x.array } },
    value: 'a',
    out,
  });
  const y = engine.output(out.reshape(outputShape(x, isReduced, keepDims)), [x], name);
  if (!y.requiresGrad) return y;
  engine.record({
    name,
    inputs: [x],
    outputs: [y],
    saved: [],
    backward: (gradients) => {
      const inputs = { a: { array: x.array }, y: { array: withAxes(y.array, isReduced) } };
      const isExtreme = runtime.empty(x.shape, 'f32', 'places of the extreme');
      const count = runtime.empty(out.shape, 'f32', 'equal places');
      stridedMap(runtime, { kernel: 'equal', inputs, value: 'select(0.0, 1.0, a == y)', out: isExtreme });
      sumInto(x, isExtreme, count, false);
      const dy: GpuArray = withAxes(gradients.of(y), isReduced);
      addGradient(gradients, x, x.shape, {
        kernel: 'extreme-backward',
        inputs: { a: { array: isExtreme }, dy: { array: dy }, count: { array: count } },
        value: 'a * dy / count',
      });
      runtime.release(isExtreme);
      runtime.release(count);
    },
  });
  return y;
}

function outputShape(x: Tensor, isReduced: readonly boolean[], keepDims: boolean): number[] {
  return keepDims ? keptShape(x.shape, isReduced) : x.shape.filter((_, axis) => !isReduced[axis]);
}
