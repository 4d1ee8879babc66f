import {
  broadcastShape,
  f32,
  GpuArray,
  stridedMap,
  stridedReduce,
  type KernelData,
  type StridedExpression,
} from '@tubelet/kernels';
import type { GradientFlow, Tensor } from '../engine/tensor.js';

/**
 * What an operation takes: a tensor, or a number that is the same everywhere. The device remembers the numbers of a call for
 * good: one that is new in every step belongs into a tensor.
 */
export type Operand = Tensor | number;

/** One operation on elements: expressions in WGSL of its operands a, b and c. */
export interface Pointwise {
  readonly name: string;
  readonly value: string;
  /**
   * The gradient of each operand that has one, an expression of operands, of `dy`, the gradient of the result, and of `y`,
   * the result.
   */
  readonly gradients?: Readonly<Partial<Record<'a' | 'b' | 'c', string>>>;
}

interface Operands {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly data: KernelData;
}

/**
 * y = value at every place; operands broadcast as in NumPy, and gradients are summed over what was repeated.
 *
 * @throws ShapeError naming the operation and the shapes that do not broadcast
 * @throws RangeError where no operand is a tensor, one is not of f32, or a number is not finite
 */
export function pointwise(
  { name, value, gradients: derivatives = {} }: Pointwise,
  operands: Readonly<Record<string, Operand>>,
  extraData: KernelData = {},
): Tensor {
  const { tensors, data } = separate(name, operands, extraData);
  const list = Object.values(tensors);
  const { engine } = list[0]!;
  const shape = broadcastShape(
    name,
    list.map((tensor) => tensor.shape),
  );
  const out = engine.empty(shape, 'f32', name);
  const used = { ...tensors };
  stridedMap(engine.runtime, { kernel: name, ...expression(value, used, data), out });
  const inputs = Object.entries(tensors).filter(([operand]) => operand in derivatives);
  const y = engine.output(
    out,
    inputs.map(([, tensor]) => tensor),
    name,
  );
  if (!y.requiresGrad) return y;
  engine.record({
    name,
    inputs: list,
    outputs: [y],
    saved: [],
    backward: (gradients) => {
      const dy = gradients.of(y);
      const isDy = ([operand, tensor]: [string, Tensor]) =>
        derivatives[operand as 'a'] === 'dy' && tensor.array.size === y.array.size;
      // One operand is given the buffer itself, and last, since whoever receives it adds to it in place.
      const heir = inputs.find((input) => isDy(input) && input[1].requiresGrad);
      for (const input of inputs) {
        const [operand, tensor] = input;
        if (!tensor.requiresGrad || input === heir) continue;
        const derivative = derivatives[operand as 'a']!;
        const call = expression(derivative, { ...used, y, dy }, data);
        addGradient(gradients, tensor, y.shape, { kernel: `${name}-backward`, ...call });
      }
      if (heir) gradients.donate(heir[1], viewAs(dy, heir[1].shape));
    },
  });
  return y;
}

/** What a kernel on strided arrays is given but for its output. */
export interface PointwiseCall extends StridedExpression {
  readonly kernel: string;
}

/**
 * Adds what an expression gives over `shape` to the gradient of `tensor`, summed over the axes that were repeated to make
 * `shape` of its own.
 */
export function addGradient(
  gradients: GradientFlow,
  tensor: Tensor,
  shape: readonly number[],
  call: PointwiseCall,
): void {
  const { runtime } = tensor.engine;
  const { array, accumulate } = gradients.target(tensor);
  const target = withLeadingAxes(array, shape.length);
  if (target.size === shape.reduce((a, b) => a * b, 1)) {
    stridedMap(runtime, { ...call, out: target, accumulate });
    return;
  }
  const whole = runtime.empty(shape, 'f32', `gradient of ${tensor.name}`);
  stridedMap(runtime, { ...call, out: whole });
  sumInto(tensor, whole, target, accumulate);
  runtime.release(whole);
}

/** target (+)= Σ whole over the axes in which `target`, of the same rank, has extent 1. */
export function sumInto(
  { engine: { runtime } }: Tensor,
  whole: GpuArray,
  target: GpuArray,
  accumulate: boolean,
): void {
  const inputs = { a: { array: whole } };
  stridedReduce(runtime, { kernel: 'sum', combination: 'sum', inputs, value: 'a', out: target, accumulate });
}

/** The view of `array` with new axes of extent 1 in front, up to `rank`. */
export function withLeadingAxes(array: GpuArray, rank: number): GpuArray {
  const missing = new Array<number>(rank - array.shape.length);
  return new GpuArray(
    array.storage,
    array.dtype,
    [...missing.fill(1), ...array.shape],
    [...missing.fill(0), ...array.strides],
    array.offset,
  );
}

/** @throws RangeError for a tensor that is not of f32, naming the operation */
export function requireF32(operation: string, ...tensors: readonly Tensor[]): void {
  for (const tensor of tensors) {
    if (tensor.dtype !== 'f32') {
      throw new RangeError(
        `${operation}: operands must be f32, got ${tensor}; indices go to gather and the like`,
      );
    }
  }
}

// `shape` has the same elements, and differs in axes of extent 1 alone.
function viewAs(array: GpuArray, shape: readonly number[]): GpuArray {
  if (array.isContiguous) return array.reshape(shape);
  const strides = array.strides.slice(array.shape.length - shape.length);
  return new GpuArray(array.storage, array.dtype, shape, strides, array.offset);
}

function separate(
  name: string,
  operands: Readonly<Record<string, Operand>>,
  extraData: KernelData,
): Operands {
  const tensors: Record<string, Tensor> = {};
  const data: Record<string, KernelData[string]> = { ...extraData };
  for (const [operand, value] of Object.entries(operands)) {
    if (typeof value !== 'number') {
      tensors[operand] = value;
      continue;
    }
    if (!Number.isFinite(Math.fround(value))) {
      throw new RangeError(`${name}: operand ${operand} is ${value}; give a finite number or a tensor`);
    }
    data[`NUMBER_${operand.toUpperCase()}`] = f32(value);
  }
  const list = Object.values(tensors);
  if (list.length === 0) throw new RangeError(`${name}: no operand is a tensor; compute it in JavaScript`);
  requireF32(name, ...list);
  return { tensors, data };
}

/** An expression with the operands that it uses: numbers by their data, and only arrays that it names. */
function expression(
  text: string,
  available: Readonly<Record<string, Tensor | GpuArray>>,
  data: KernelData,
): StridedExpression {
  const value = text.replace(/\b[abc]\b/g, (operand) => {
    const number = `NUMBER_${operand.toUpperCase()}`;
    return number in data ? number : operand;
  });
  const inputs: Record<string, { array: GpuArray }> = {};
  for (const [operand, held] of Object.entries(available)) {
    if (!new RegExp(`\\b${operand}\\b`).test(value)) continue;
    inputs[operand] = { array: held instanceof GpuArray ? held : held.array };
  }
  const named = Object.entries(data).filter(([number]) => new RegExp(`\\b${number}\\b`).test(value));
  return { inputs, value, data: Object.fromEntries(named) };
}
