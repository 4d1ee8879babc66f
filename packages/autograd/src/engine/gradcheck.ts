import type { Engine } from './engine.js';
import type { Tensor } from './tensor.js';

/** A value to differentiate with respect to, as the function under test receives it. */
export interface GradcheckInput {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** How derivatives are estimated, and how near they must be. */
export interface GradcheckOptions {
  /** The function on the GPU, in f32. */
  readonly forward: (...inputs: Tensor[]) => Tensor;
  /** The same function in float64: flat row-major values in, flat values out. */
  readonly reference: (...inputs: Float64Array[]) => Float64Array;
  readonly inputs: readonly GradcheckInput[];
  /** Weights of the outputs; random and uneven, since sums of symmetric rows hide errors. */
  readonly cotangent: Float64Array;
}

/** Relative errors ‖out − ref‖/‖ref‖ of the value and of each input's gradient. */
export interface GradcheckResult {
  readonly value: number;
  readonly gradients: readonly number[];
}

/** A backward pass gave an input no gradient at all, which is another thing than a gradient of zero. */
export class MissingGradientError extends Error {
  override readonly name = 'MissingGradientError';
}

/**
 * Compares an operation and its backward pass with a float64 reference: values directly, gradients with
 * central differences of the reference (step 1e-5, error about 1e-10).
 *
 * @throws MissingGradientError naming the first input that no gradient has reached
 */
export async function gradcheck(engine: Engine, options: GradcheckOptions): Promise<GradcheckResult> {
  const { forward, reference, inputs } = options;
  // What the GPU gets: rounding is not an error of the operation.
  const cotangent = Float64Array.from(Float32Array.from(options.cotangent));
  return engine.step(async () => {
    const tensors = inputs.map(({ shape, data }, i) =>
      engine.tensor(Float32Array.from(data), shape, { requiresGrad: true, name: `input ${i}` }),
    );
    const output = forward(...tensors);
    // Read before the backward pass: it returns intermediate arrays to the pool.
    const value = await output.read();
    const gradients = output.backward({ cotangent: Float32Array.from(cotangent) });
    const computed: Float32Array[] = [];
    for (const tensor of tensors) {
      const gradient = await gradients.read(tensor);
      if (!gradient) {
        throw new MissingGradientError(
          `gradcheck: no gradient has reached ${tensor}; a backward pass must give every input one, be it zero`,
        );
      }
      computed.push(gradient);
    }
    const rounded = inputs.map(({ data }) => Float64Array.from(Float32Array.from(data)));
    return {
      value: relativeError(value, reference(...rounded)),
      gradients: computed.map((gradient, i) =>
        relativeError(gradient, differences(reference, rounded, i, cotangent)),
      ),
    };
  });
}

function differences(
  reference: GradcheckOptions['reference'],
  inputs: readonly Float64Array[],
  index: number,
  cotangent: Float64Array,
): Float64Array {
  const step = 1e-5;
  const values = inputs[index]!.slice();
  const objective = () => {
    const output = reference(...inputs.map((input, i) => (i === index ? values : input)));
    return output.reduce((sum, value, i) => sum + value * cotangent[i]!, 0);
  };
  return inputs[index]!.map((original, i) => {
    values[i] = original + step;
    const above = objective();
    values[i] = original - step;
    const below = objective();
    values[i] = original;
    return (above - below) / (2 * step);
  });
}

/** ‖actual − expected‖ / ‖expected‖ (absolute when the expected norm is zero); Infinity for non-finite values. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let error = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  if (!Number.isFinite(error)) return Infinity;
  return norm > 0 ? Math.sqrt(error / norm) : Math.sqrt(error);
}
