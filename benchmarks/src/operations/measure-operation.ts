import { reshape, type Engine, type Tensor } from '@tubelet/autograd';
import { checkExample, type Example, type Operation, type OperationErrors } from '@tubelet/autograd/lab';
import { product } from '@tubelet/kernels';
import { testRandom } from '@tubelet/kernels/lab';
import { median } from '../kernels/batch-timer.js';

/** What was found of one operation. */
export interface OperationMeasurement {
  readonly operation: string;
  /** Largest of all examples. */
  readonly errors: OperationErrors;
  /** Undefined where the table has nothing to time. */
  readonly times: OperationTimes | undefined;
}

export interface OperationTimes {
  readonly shapes: readonly (readonly number[])[];
  /** Medians, in seconds, without the upload of inputs and of the gradient that a backward pass begins with. */
  readonly forward: number;
  readonly forwardAndBackward: number;
}

/** Checks all examples of an operation and times it, so many times forward, and forward and backward, in turn. */
export async function measureOperation(
  engine: Engine,
  operation: Operation,
  rounds: number,
): Promise<OperationMeasurement> {
  const random = testRandom(3);
  const errors = { value: 0, gradient: 0 };
  for (const example of operation.examples(random)) {
    const { value, gradient } = await checkExample(engine, operation, example, random);
    errors.value = Math.max(errors.value, value);
    errors.gradient = Math.max(errors.gradient, gradient);
  }
  const times = operation.timed && (await timeExample(engine, operation, operation.timed, rounds));
  return { operation: operation.name, errors, times };
}

async function timeExample(
  engine: Engine,
  { isConstant }: Operation,
  { shapes, fill = (from) => from.normal(), forward }: Example,
  rounds: number,
): Promise<OperationTimes> {
  const random = testRandom(1);
  const given = shapes.map((shape) => ({
    shape,
    data: Float32Array.from({ length: product(shape) }, () => fill(random)),
  }));
  const y = await engine.step(() => forward(tensors(engine, given, false), engine));
  const nothing = [{ shape: y.shape, data: new Float32Array(product(y.shape)) }];
  const seconds: Record<'forward' | 'both', number[]> = { forward: [], both: [] };
  // The first round compiles.
  for (let round = 0; round <= rounds; round++) {
    const forwardSeconds = await timeStep(engine, given, forward);
    let bothSeconds = NaN;
    if (!isConstant) {
      const cotangent = new Float32Array(product(y.shape)).fill(1);
      bothSeconds = await timeStep(engine, given, forward, cotangent);
      // A step in which nothing is computed uploads the gradient that it begins with too.
      bothSeconds -= await timeStep(engine, nothing, ([x]) => reshape(x!, x!.shape), cotangent);
    }
    if (round === 0) continue;
    seconds.forward.push(forwardSeconds);
    seconds.both.push(bothSeconds);
  }
  return { shapes, forward: median(seconds.forward), forwardAndBackward: median(seconds.both) };
}

interface Given {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

function tensors(engine: Engine, given: readonly Given[], requiresGrad: boolean): Tensor[] {
  return given.map(({ data, shape }) => engine.tensor(data, shape, { requiresGrad }));
}

/** Seconds of a forward pass and, with the gradient that it begins with, of the backward pass too. */
function timeStep(
  engine: Engine,
  given: readonly Given[],
  forward: Example['forward'],
  cotangent?: Float32Array,
): Promise<number> {
  const { runtime } = engine;
  return engine.step(async () => {
    const inputs = tensors(engine, given, cotangent !== undefined);
    await runtime.synchronize();
    const start = performance.now();
    const y = forward(inputs, engine);
    if (cotangent) y.backward({ cotangent });
    await runtime.synchronize();
    return (performance.now() - start) / 1000;
  });
}
