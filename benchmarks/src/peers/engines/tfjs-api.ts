/* What is used of the public interface of @tensorflow/tfjs and @tensorflow/tfjs-backend-webgpu. */

export interface TfTensor {
  readonly shape: readonly number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}

export interface TfVariable extends TfTensor {
  assign(value: TfTensor): void;
}

export interface TfOptimizer {
  applyGradients(gradients: Readonly<Record<string, TfTensor>>): void;
  dispose(): void;
}

/** The WebGPU backend's own part. */
export interface TfWebGpuBackend {
  readonly queue: GPUQueue;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

export interface Tf {
  readonly version_core: string;
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  backend(): TfWebGpuBackend;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  tensor(data: Int32Array, shape: readonly number[], dtype: 'int32'): TfTensor;
  oneHot(indices: TfTensor, depth: number, on: number, off: number, dtype: 'float32'): TfTensor;
  gather(x: TfTensor, indices: TfTensor): TfTensor;
  zeros(shape: readonly number[]): TfTensor;
  variable(value: TfTensor, trainable: boolean, name: string): TfVariable;
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  add(a: TfTensor, b: TfTensor | number): TfTensor;
  sub(a: TfTensor, b: TfTensor): TfTensor;
  mul(a: TfTensor, b: TfTensor | number): TfTensor;
  square(x: TfTensor): TfTensor;
  rsqrt(x: TfTensor): TfTensor;
  erf(x: TfTensor): TfTensor;
  softmax(x: TfTensor): TfTensor;
  mean(x: TfTensor, axis?: number, keepDims?: boolean): TfTensor;
  reshape(x: TfTensor, shape: readonly number[]): TfTensor;
  transpose(x: TfTensor, axes: readonly number[]): TfTensor;
  split(x: TfTensor, parts: number | readonly number[], axis: number): TfTensor[];
  concat(tensors: readonly TfTensor[], axis: number): TfTensor;
  tidy<T>(body: () => T): T;
  dispose(tensors: unknown): void;
  grads(f: (...inputs: TfTensor[]) => TfTensor): (inputs: readonly TfTensor[]) => TfTensor[];
  readonly losses: {
    softmaxCrossEntropy(oneHot: TfTensor, logits: TfTensor): TfTensor;
  };
  readonly fused: {
    matMul(operands: { a: TfTensor; b: TfTensor; bias?: TfTensor }): TfTensor;
  };
  readonly train: {
    adam(learningRate: number, beta1: number, beta2: number, epsilon: number): TfOptimizer;
  };
}
