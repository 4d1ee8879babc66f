import { product, streamPurpose, type PhiloxStream } from '@tubelet/kernels';

/** Initial weights; `sample` is the place of the parameter among all of the net. */
export const INITIALISE_PURPOSE = streamPurpose(2);

/** First values of a parameter of a shape, row-major. */
export type Initialiser = (shape: readonly number[], random: PhiloxStream) => Float32Array;

/** All zero. */
export const zeros: Initialiser = (shape) => new Float32Array(product(shape));

/** All one. */
export const ones: Initialiser = (shape) => new Float32Array(product(shape)).fill(1);

/** U(−bound, bound). */
export const uniform =
  (bound: number): Initialiser =>
  (shape, random) => {
    const values = new Float32Array(product(shape));
    for (let i = 0; i < values.length; i++) values[i] = (2 * random.uniform() - 1) * bound;
    return values;
  };

/** U(±1/√fan_in), which PyTorch starts linear layers and convolutions with; fan_in is the product of all extents but the first. */
export const byFanIn: Initialiser = (shape, random) =>
  uniform(1 / Math.sqrt(product(shape.slice(1))))(shape, random);

/** U(±√(6 / (fan_in + fan_out))) of a matrix [fan_out, fan_in] (Glorot & Bengio, 2010). */
export const xavierUniform: Initialiser = (shape, random) => {
  const [outputs, inputs] = shape as [number, number];
  return uniform(Math.sqrt(6 / (inputs + outputs)))(shape, random);
};

/** Normal with deviation σ, redrawn outside of ±limit. */
export const truncatedNormal =
  (sigma: number, limit: number): Initialiser =>
  (shape, random) => {
    const values = new Float32Array(product(shape));
    for (let i = 0; i < values.length; i++) {
      let value = sigma * random.normal();
      while (Math.abs(value) > limit) value = sigma * random.normal();
      values[i] = value;
    }
    return values;
  };
