/* What is used of the public interface of @jax-js/jax. Every function takes over its arguments: `.ref` keeps one. */

export interface JaxArray {
  readonly ref: JaxArray;
  readonly shape: readonly number[];
  data(): Promise<Float32Array>;
  dispose(): void;
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray | number): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  div(other: JaxArray | number): JaxArray;
  reshape(shape: readonly number[]): JaxArray;
}

export type JaxTree = JaxArray | readonly JaxArray[] | Readonly<Record<string, JaxArray>>;

export type JaxFunction = (...inputs: JaxArray[]) => JaxArray[];

export interface Jax {
  init(device: 'webgpu'): Promise<readonly string[]>;
  defaultDevice(device: 'webgpu'): string;
  getWebGPUDevice(): GPUDevice;
  blockUntilReady<T>(arrays: T): Promise<T>;
  /** Traces at the first call; the arrays of later calls are dispatched as recorded. */
  jit(f: JaxFunction): JaxFunction & { dispose(): void };
  grad(
    f: (...inputs: JaxArray[]) => JaxArray,
    options: { readonly argnums: readonly number[] },
  ): (...inputs: JaxArray[]) => JaxArray[];
  readonly numpy: {
    array(data: Float32Array | Int32Array, options: { readonly shape: readonly number[] }): JaxArray;
    zeros(shape: readonly number[]): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    split(x: JaxArray, sections: number | readonly number[], axis: number): JaxArray[];
    concatenate(arrays: readonly JaxArray[], axis: number): JaxArray;
    mean(x: JaxArray): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    square(x: JaxArray): JaxArray;
    take(x: JaxArray, indices: JaxArray, axis: number): JaxArray;
  };
  readonly nn: {
    gelu(x: JaxArray, options: { readonly approximate: boolean }): JaxArray;
    standardize(x: JaxArray, axis: number, options: { readonly epsilon: number }): JaxArray;
    logSoftmax(x: JaxArray): JaxArray;
    oneHot(x: JaxArray, count: number): JaxArray;
    dotProductAttention(
      q: JaxArray,
      k: JaxArray,
      v: JaxArray,
      options?: { readonly isCausal: boolean },
    ): JaxArray;
  };
}
