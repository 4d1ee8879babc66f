import type { Engine } from '@tubelet/autograd';
import { checkExample, type Example, type Operation, type OperationErrors } from '@tubelet/autograd/lab';
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
  /** Medians, in seconds. */
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
  const { runtime } = engine;
  const data = shapes.map((shape) =>
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => fill(random)),
  );
  const run = (isTrained: boolean) =>
    engine.step(async () => {
      const inputs = data.map((values, i) => engine.tensor(values, shapes[i]!, { requiresGrad: isTrained }));
      const cotangent = isTrained
        ? new Float32Array(forwardSize(engine, inputs, forward)).fill(1)
        : undefined;
      await runtime.synchronize();
      const start = performance.now();
      const y = forward(inputs, engine);
      if (cotangent) y.backward({ cotangent });
      await runtime.synchronize();
      return (performance.now() - start) / 1000;
    });
  const seconds: Record<'forward' | 'both', number[]> = { forward: [], both: [] };
  // The first round compiles.
  for (let round = 0; round <= rounds; round++) {
    const forwardSeconds = await run(false);
    const bothSeconds = isConstant ? NaN : await run(true);
    if (round === 0) continue;
    seconds.forward.push(forwardSeconds);
    seconds.both.push(bothSeconds);
  }
  return { shapes, forward: median(seconds.forward), forwardAndBackward: median(seconds.both) };
}

function forwardSize(
  engine: Engine,
  inputs: Parameters<Example['forward']>[0],
  forward: Example['forward'],
): number {
  return engine.noGrad(() => forward(inputs, engine)).array.size;
}
