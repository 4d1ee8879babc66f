import type { Cost } from './runtime/ledger.js';
import type { DType, GpuArray } from './runtime/gpu-array.js';
import type { HostData, Runtime } from './runtime/runtime.js';
import type { Variant } from './runtime/variants.js';

/** One shape that matters. `model` cases are benchmarked, `edge` cases only tested, `tiny` ones gradient-checked. */
export interface KernelCase<Shape> {
  readonly name: string;
  readonly kind: 'model' | 'edge' | 'tiny';
  readonly shape: Shape;
  /**
   * By output, the size of the terms that cancel in it: what its errors are measured against, if that is larger than 1
   * and all its elements.
   */
  readonly termSizes?: Readonly<Record<string, number>>;
}

/** An input or output array of a kernel. */
export interface ArraySpec {
  readonly shape: readonly number[];
  /** Default `f32`. */
  readonly dtype?: DType;
  /** Contents as host data; default: standard normal numbers (f32 only). */
  readonly fill?: (random: Random) => HostData;
  /**
   * Set on outputs that the kernel adds to or leaves partly untouched: contents before the run. They reach
   * the reference as an input of the same name.
   */
  readonly initial?: (random: Random) => HostData;
}

/** Reproducible random numbers for tests and benchmarks. */
export interface Random {
  uniform(): number;
  normal(): number;
  integer(below: number): number;
}

/** Arrays on the host in double precision (integers are exact). */
export type HostArrays = Readonly<Record<string, Float64Array>>;
/** Arrays on the device, by the same names. */
export type GpuArrays = Readonly<Record<string, GpuArray>>;

/**
 * Everything known about one kernel. Tests, the gradient check, `bench:kernels` and the support table of the
 * documentation are all derived from this one description.
 */
export interface KernelSpec<Shape = unknown> {
  readonly name: string;
  /** One line for the support table. */
  readonly summary: string;
  readonly variants: readonly Variant[];
  readonly cases: readonly KernelCase<Shape>[];
  /** A random shape for property tests: small, and rarely a multiple of a tile. */
  randomShape?(random: Random): Shape;
  /** The shape of so many clips at once, where a model's case is that of one: the autotuner measures several. */
  withClips?(shape: Shape, clips: number): Shape;
  inputs(shape: Shape): Readonly<Record<string, ArraySpec>>;
  outputs(shape: Shape): Readonly<Record<string, ArraySpec>>;
  /** Runs the kernel through its public dispatcher. */
  run(runtime: Runtime, shape: Shape, inputs: GpuArrays, outputs: GpuArrays): void;
  /** The same function in float64, written the plain way. */
  reference(shape: Shape, inputs: HostArrays): HostArrays;
  /** Analytic derivative of `reference`: cotangents of outputs (by name) → gradients of inputs (by name). */
  referenceBackward?(shape: Shape, inputs: HostArrays, cotangents: HostArrays): HostArrays;
  cost(shape: Shape): Cost;
  /**
   * Set where variants differ in what they move, and `cost` has the least, every array that is needed once. `parts`: some
   * write parts of sums, which another kernel reads once. `more`: some also read an input in a second kernel.
   */
  readonly movesMore?: 'parts' | 'more';
  /** Names of the inputs that variants of precision f16 round, each element once and to nearest. */
  readonly roundedInputs?: readonly string[];
  /** Names of the outputs that they compute from those inputs as they are, all the same. */
  readonly unroundedOutputs?: readonly string[];
  /** Bound on |out − ref| ≤ tolerance · max(1, max|ref|), per output; default 1e-5. Integers must be equal. */
  readonly tolerance?: number;
  /**
   * The same bound for variants of precision f16; default twice `tolerance`, for those that round nothing but inputs.
   * One that rounds what it makes on the way says here what that may cost.
   */
  readonly toleranceF16?: number;
}

/** Whether arrays of a case are of f16. */
export function hasHalves<Shape>(spec: KernelSpec<Shape>, shape: Shape): boolean {
  const arrays = [...Object.values(spec.inputs(shape)), ...Object.values(spec.outputs(shape))];
  return arrays.some(({ dtype }) => dtype === 'f16');
}

/** Whether the device has the types of the arrays of a case. */
export function canHold<Shape>(runtime: Runtime, spec: KernelSpec<Shape>, shape: Shape): boolean {
  return runtime.hasFeature('shader-f16') || !hasHalves(spec, shape);
}

/** Fixes the shape type where a spec is defined and forgets it where specs are listed. */
export function defineKernel<Shape>(spec: KernelSpec<Shape>): KernelSpec<Shape> {
  return spec;
}
