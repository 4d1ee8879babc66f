import type { Random } from '@tubelet/kernels/lab';
import type { Engine } from '../engine/engine.js';
import { gradcheck, relativeError } from '../engine/gradcheck.js';
import type { Tensor } from '../engine/tensor.js';
import { Values } from './values.js';

export type Shape = readonly number[];

/** An operation on inputs of given shapes, on the GPU and in float64. */
export interface Example {
  /** Of the inputs that gradients flow to. */
  readonly shapes: readonly Shape[];
  /** What inputs are made of; default standard normal numbers. */
  readonly fill?: (random: Random) => number;
  readonly forward: (inputs: Tensor[], engine: Engine) => Tensor;
  readonly reference: (inputs: Values[]) => Values;
}

/** Everything known about one operation: its tests, gradient check, benchmark and row of FEATURES.md come from here. */
export interface Operation {
  /** Of the function. */
  readonly name: string;
  readonly summary: string;
  /** What it cannot do; it then works partly. */
  readonly lacks?: string;
  /** Set on operations without a gradient. */
  readonly isConstant?: true;
  /** Small examples, of random shapes where shapes matter. */
  examples(random: Random): readonly Example[];
  /** What the benchmark times. */
  readonly timed?: Example;
}

/** Relative errors ‖out − reference‖ / ‖reference‖; of gradients the largest. */
export interface OperationErrors {
  readonly value: number;
  readonly gradient: number;
}

/** Largest error of value and gradient that an operation may show. */
export const TOLERANCE: OperationErrors = { value: 3e-6, gradient: 1e-5 };

/** Compares an example with its reference in float64, gradients with central differences of that. */
export async function checkExample(
  engine: Engine,
  { isConstant }: Pick<Operation, 'isConstant'>,
  { shapes, fill = (from) => from.normal(), forward, reference }: Example,
  random: Random,
): Promise<OperationErrors> {
  const draw = (shape: Shape) => Values.build(shape, () => Math.fround(fill(random)));
  const inputs = shapes.map(draw);
  const expected = reference(inputs);
  if (isConstant) {
    const value = await engine.step(async () => {
      const tensors = inputs.map(({ data, shape }) => engine.tensor(Float32Array.from(data), shape));
      const y = forward(tensors, engine);
      requireShape(y, expected);
      return y.dtype === 'f32' ? await y.read() : await y.readIntegers();
    });
    return { value: relativeError(value, expected.data), gradient: 0 };
  }
  const { value, gradients } = await gradcheck(engine, {
    forward: (...tensors) => {
      const y = forward(tensors, engine);
      requireShape(y, expected);
      return y;
    },
    reference: (...flat) => reference(flat.map((data, i) => new Values(shapes[i]!, data))).data,
    inputs,
    cotangent: Float64Array.from(expected.data, () => random.normal()),
  });
  return { value, gradient: Math.max(...gradients) };
}

function requireShape(y: Tensor, { shape }: Values): void {
  if (y.shape.join() !== shape.join()) {
    throw new Error(`the result is ${y}, its reference [${shape.join(', ')}]`);
  }
}
