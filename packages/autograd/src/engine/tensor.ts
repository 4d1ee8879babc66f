import type { DType, GpuArray, PartialSums, Runtime } from '@tubelet/kernels';
import { readPacked } from './read-packed.js';
import { isSpent } from './spent.js';

/** A value on the GPU that gradients can flow through: a strided array and a place in the graph. */
export class Tensor {
  constructor(
    readonly engine: Tape,
    readonly array: GpuArray,
    readonly requiresGrad = false,
    /** For error messages and profiles. */
    readonly name = '',
  ) {}

  get shape(): readonly number[] {
    return this.array.shape;
  }

  get dtype(): DType {
    return this.array.dtype;
  }

  /** Extent of one axis; negative axes count from the last. */
  extent(axis: number): number {
    const value = this.array.shape.at(axis);
    if (value === undefined) throw new RangeError(`[${this.shape.join(', ')}] has no axis ${axis}`);
    return value;
  }

  /**
   * The values, row-major. Waits for the GPU.
   *
   * @throws RangeError for tensors of whole numbers (see `readIntegers`)
   * @throws Error where the backward pass has given the memory back
   */
  async read(): Promise<Float32Array> {
    this.requireMemory();
    if (this.isOfIntegers)
      throw new RangeError(`read() takes f32 or f16, got ${this.array}; use readIntegers()`);
    const { runtime } = this.engine;
    return readPacked(runtime, this.array, (array) => runtime.read(array));
  }

  /** The values of a tensor of i32 or u32, row-major. Waits for the GPU. */
  async readIntegers(): Promise<Int32Array | Uint32Array> {
    const { array, dtype, engine } = this;
    this.requireMemory();
    if (!this.isOfIntegers) throw new RangeError(`readIntegers() takes i32 or u32, got ${array}`);
    const { runtime } = engine;
    const bytes = await readPacked(runtime, array, (packed) => runtime.readBytes(packed));
    return dtype === 'i32' ? new Int32Array(bytes) : new Uint32Array(bytes);
  }

  /** The single value of a one-element tensor. Waits for the GPU. */
  async item(): Promise<number> {
    if (this.array.size !== 1) throw new RangeError(`item() needs one element, this tensor is ${this.array}`);
    return (this.isOfIntegers ? await this.readIntegers() : await this.read())[0]!;
  }

  private get isOfIntegers(): boolean {
    return this.dtype === 'i32' || this.dtype === 'u32';
  }

  private requireMemory(): void {
    if (!isSpent(this)) return;
    throw new Error(
      `${this.array} cannot be read: the backward pass has given its memory back; read it before, or pass it to Engine.keep`,
    );
  }

  /**
   * Adds the gradient of this loss, one element, to every parameter that it depends on; uses the tape up, and gives the
   * memory of intermediate results back as it goes, but for what was passed to `Engine.keep`. Gradients of other
   * tensors can be read from what it returns until the step ends.
   *
   * @throws RangeError for more elements than one without a `cotangent`
   * @throws ShapeError for a `cotangent` of another size
   * @throws Error where nothing that it depends on requires a gradient, and where the tape has been used up
   */
  backward(options?: BackwardOptions): LeafGradients {
    return this.engine.backward(this, options);
  }

  toString(): string {
    return `Tensor ${this.name || '(unnamed)'} ${this.array}`;
  }
}

/** How a backward pass begins, and who is told of its gradients. */
export interface BackwardOptions {
  /** Multiplies the gradient, e.g. 1 / number of accumulated batches; default 1. */
  readonly scale?: number;
  /** Multiplies it by the scale of the next step too; see `LossScale`. */
  readonly lossScale?: LossScaling | undefined;
  /** The gradient to begin with, row-major, where there is more than one element; takes the place of both. */
  readonly cotangent?: Float32Array;
  readonly observer?: GradientObserver | undefined;
}

/** What begins a backward pass with the gradient of a scaled loss. */
export interface LossScaling {
  /** The gradient of scale · `factor` · `loss` by the loss. */
  cotangent(loss: Tensor, factor: number): GpuArray;
}

/** Is told of the gradients of parameters while a backward pass makes them. */
export interface GradientObserver {
  /** An operation that is about to be dispatched writes this gradient of a parameter, or adds to it. */
  reached(gradient: GpuArray): void;
  /** An operation has been dispatched. What it gave to `partialSums` may still wait there. */
  operationDone(partialSums: PartialSums): void;
  /** All operations have been. */
  passDone(): void;
}

/** The gradients that a backward pass has left, of tensors that no operation made. */
export interface LeafGradients {
  has(tensor: Tensor): boolean;
  /** Undefined when nothing flowed into `tensor`. */
  get(tensor: Tensor): GpuArray | undefined;
  /** @throws Error when nothing flowed into `tensor` */
  of(tensor: Tensor): GpuArray;
  /** The values, row-major; undefined when nothing flowed into `tensor`. Waits for the GPU. */
  read(tensor: Tensor): Promise<Float32Array | undefined>;
}

/** Parameters as a recorded step sees them. */
export interface TrainedStore {
  /** Called before a step is recorded or replayed: brings up to date what the step reads and does not make. */
  prepareStep(): void;
  /** Which parameters have a gradient: on that it depends what a backward pass does. */
  gradientFlags(): readonly boolean[];
  restoreGradientFlags(flags: readonly boolean[]): void;
}

/** How one stage of a forward pass is run. */
export interface StageOptions {
  /** Keep inputs and result alone for the backward pass, which then runs the stage again. */
  readonly recompute?: boolean | undefined;
  /** Nobody uses the inputs after this stage. */
  readonly consumes?: boolean;
}

/** What an operation, or a stage made of them, needs of the engine that its tensors belong to; see `Engine`. */
export interface Tape {
  readonly runtime: Runtime;
  readonly gradEnabled: boolean;
  /** All that is trained with this engine; a store enters itself, and leaves. */
  readonly stores: Set<TrainedStore>;
  /** An uninitialised array for an operation's output. */
  empty(shape: readonly number[], dtype?: DType, label?: string): GpuArray;
  /** Whether an operation on these inputs must save what its backward needs. */
  needsGrad(inputs: readonly (Tensor | undefined)[]): boolean;
  /** Makes the output tensor of an operation. */
  output(array: GpuArray, inputs: readonly (Tensor | undefined)[], name: string): Tensor;
  /** Appends an operation. */
  record(node: Node): void;
  /** Walks the tape back from `output`. */
  backward(output: Tensor, options?: BackwardOptions): LeafGradients;
  /** One stage of a forward pass, whose memory is given back where no backward pass needs it. */
  stage<Inputs extends readonly Tensor[]>(
    inputs: Inputs,
    body: (...inputs: Inputs) => Tensor,
    options?: StageOptions,
  ): Tensor;
}

/** One recorded operation: what it read and made, and how gradients flow back through it. */
export interface Node {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Arrays kept only for the backward pass (statistics, pre-activations). */
  readonly saved: readonly GpuArray[];
  backward(gradients: GradientFlow): void;
}

/** Where a kernel should put a gradient: overwrite `array`, or add to what is there. */
export interface GradientTarget {
  readonly array: GpuArray;
  readonly accumulate: boolean;
}

/** The gradients of a backward pass as an operation sees them; see `Gradients`. */
export interface GradientFlow {
  /** Gradients of parameters that wait in parts until all can be added up at once. */
  readonly partialSums: PartialSums;
  /** Whether something has flowed into an output. */
  has(tensor: Tensor): boolean;
  /** The gradient of an output, which may be a strided view; throws when there is none. */
  of(tensor: Tensor): GpuArray;
  /**
   * Where to write the gradient of an input; the kernel must fill or add to all of it. What is to be added to may be a
   * strided view.
   */
  target(tensor: Tensor): GradientTarget;
  /**
   * Gives a kernel that can only overwrite a contiguous place for the gradient of `tensor`, and adds it if need be.
   */
  overwrite(tensor: Tensor, write: (array: GpuArray) => void): void;
  /** Makes `array` the gradient of `tensor`, or adds it to the one there is; the giver is done with it. */
  donate(tensor: Tensor, array: GpuArray): void;
  /** Collects the gradients of views that together cover `whole` into its gradient. */
  gather(whole: Tensor, parts: readonly Tensor[]): void;
}
