import { fill, GpuArray, type DType, type HostData, type Runtime } from '@tubelet/kernels';
import { Gradients } from './gradients.js';
import { Ownership, requireReadable } from './ownership.js';
import {
  RecordedSteps,
  type RecordingTape,
  type StepBody,
  type StepInputs,
  type StepTensors,
} from './recorded-step.js';
import {
  Tensor,
  type BackwardOptions,
  type GradientObserver,
  type LeafGradients,
  type Node,
  type StageOptions,
  type TrainedStore,
} from './tensor.js';
import { walkBack } from './walk-back.js';

/** How a step is taken. */
export interface StepOptions<Name extends string> {
  /** What the body is given as tensors. */
  readonly inputs?: StepInputs<Name>;
  /**
   * The first time, the body is run as it is; the second time, the commands that it gives the GPU are recorded; from
   * then on they are replayed on new inputs, without the body. That makes a step cheap for the processor. It is done
   * for each set of shapes, and for parameters that have a gradient to be added to; a text names what else the body
   * depends on.
   *
   * The body must be the same function each time, and do the same for the same shapes: all that differs from step to
   * step comes in `inputs`, and what happens on the host (learning rates, counters, files) happens outside, such as the
   * step of an optimiser. It may neither wait nor move data from or to the host (`RecordingError`).
   */
  readonly record?: boolean | string;
}

/**
 * The tape. Operations append themselves while gradients are enabled; `backward` walks them in reverse.
 * Memory made inside `step` is returned to the pool as soon as the backward pass is done with it, the rest
 * at the end of the step.
 */
export class Engine implements RecordingTape {
  readonly stores = new Set<TrainedStore>();
  private nodes: Node[] = [];
  private readonly ownership: Ownership;
  private gradDisabled = 0;
  private openSteps = 0;
  private readonly recorded = new RecordedSteps(this);

  constructor(readonly runtime: Runtime) {
    this.ownership = new Ownership(runtime);
  }

  get gradEnabled(): boolean {
    return this.gradDisabled === 0;
  }

  /** A tensor with the given values (row-major), released at the end of the current `step`. */
  tensor(
    data: HostData,
    shape: readonly number[],
    options: { requiresGrad?: boolean; name?: string } = {},
  ): Tensor {
    const { requiresGrad = false, name = 'tensor' } = options;
    return new Tensor(this, this.runtime.upload(data, shape, undefined, name), requiresGrad, name);
  }

  /** An uninitialised array for an operation's output, released at the end of the current `step`. */
  empty(shape: readonly number[], dtype: DType = 'f32', label = 'tensor'): GpuArray {
    return this.runtime.empty(shape, dtype, label);
  }

  /**
   * Runs one training or inference step, which owns what is made in it: memory returns to the pool as soon as the
   * backward pass is done with it, and all else at the end, but for tensors that were passed to `keep`, and those that
   * the body returns (one, or an object or array of them), which can be read until the next step begins. With `record`
   * that is the next step of the same body. A step inside another has a tape of its own.
   *
   * When the body throws, its memory is returned all the same, but parameters that the backward pass had reached keep
   * what they got: `ParameterStore.zeroGradients` forgets it.
   */
  async step<T>(body: () => T | Promise<T>, options?: Pick<StepOptions<never>, 'record'>): Promise<T>;
  async step<T, Name extends string>(
    body: (inputs: StepTensors<Name>) => T | Promise<T>,
    options: StepOptions<Name> & Pick<Required<StepOptions<Name>>, 'inputs'>,
  ): Promise<T>;
  async step<T>(
    body: (inputs: StepTensors<string>) => T | Promise<T>,
    { inputs = {}, record = false }: StepOptions<string> = {},
  ): Promise<T> {
    const { runtime } = this;
    if (this.openSteps === 0) this.ownership.releaseResults();
    if (record !== false) {
      return this.recorded.of(body).run(inputs, record === true ? '' : record) as T | Promise<T>;
    }
    this.openSteps++;
    try {
      return await runtime.scope(async () => {
        const end = this.beginTape();
        try {
          const result = await body(this.uploaded(inputs));
          this.ownership.handOut(result, this.openSteps === 1);
          return result;
        } finally {
          end();
        }
      });
    } finally {
      this.openSteps--;
    }
  }

  /** Number of recordings that there are, of all steps. */
  get recordings(): number {
    return this.recorded.recordings;
  }

  onRecordedTape<T>(body: () => T): T {
    const leave = this.ownership.beginLeavingKept();
    const end = this.beginTape();
    try {
      const result = body();
      requireReadable(result);
      return result;
    } finally {
      end();
      leave();
    }
  }

  /**
   * Takes a tensor out of the step that it was made in: neither the backward pass nor the end of the step gives it
   * back, but `release`, which is called as often as this was. In a recorded step it stays in the memory of the
   * recording, where the next step of the same body overwrites it, and there is nothing to release.
   */
  keep(tensor: Tensor): Tensor {
    this.ownership.keep(tensor.array);
    return tensor;
  }

  /**
   * Gives back what `keep` took out of a step, or what was made outside of all steps, and must not be used any more; of
   * a body that was recorded, the memory that it works in and all recordings.
   *
   * @throws ReleaseError for what has been given back
   */
  release(given: Tensor | ((inputs: never) => unknown)): void {
    if (given instanceof Tensor) this.ownership.release(given.array);
    else this.recorded.release(given as StepBody);
  }

  /** Runs `body` without recording, so that nothing is kept for a backward pass. */
  noGrad<T>(body: () => T): T {
    this.gradDisabled++;
    let result: T;
    try {
      result = body();
    } catch (error) {
      this.gradDisabled--;
      throw error;
    }
    if (result instanceof Promise) return result.finally(() => this.gradDisabled--) as T;
    this.gradDisabled--;
    return result;
  }

  /**
   * One stage of a forward pass, such as a block of a transformer. Without gradients, all that `body` made returns
   * to the pool at its end, but for its result and what was passed to `keep`: inference needs memory for its largest
   * stage instead of for all. With `consumes` nobody uses the inputs after this stage; they are returned too. While
   * gradients are enabled nothing is returned: the backward pass needs it.
   *
   * With `recompute` nothing of the stage is kept for the backward pass but inputs and result: it runs `body` on them
   * once more, with a tape, and goes back through that (Chen et al., 2016, "Training deep nets with sublinear memory
   * cost"). It costs a second forward pass and saves the memory of all that `body` makes on its way; gradients are the
   * same to the last bit. Both runs of `body` must do the same: random numbers are drawn before it, and nothing that it
   * reads is overwritten. Parameters aside, all tensors that it reads are among `inputs`.
   */
  stage<Inputs extends readonly Tensor[]>(
    inputs: Inputs,
    body: (...inputs: Inputs) => Tensor,
    { recompute = false, consumes = false }: StageOptions = {},
  ): Tensor {
    if (!this.gradEnabled) return this.tidily(inputs, body, consumes);
    return recompute ? this.twice(inputs, body) : body(...inputs);
  }

  /** Whether an operation on these inputs must save what its backward needs. */
  needsGrad(inputs: readonly (Tensor | undefined)[]): boolean {
    return this.gradEnabled && inputs.some((input) => input?.requiresGrad);
  }

  /** Makes the output tensor of an operation. */
  output(array: GpuArray, inputs: readonly (Tensor | undefined)[], name: string): Tensor {
    return new Tensor(this, array, this.needsGrad(inputs), name);
  }

  record(node: Node): void {
    this.nodes.push(node);
  }

  /** See `Tensor.backward`. */
  backward(output: Tensor, options: BackwardOptions = {}): LeafGradients {
    const { scale = 1, lossScale, cotangent, observer } = options;
    const { runtime } = this;
    if (cotangent) {
      return this.walkBack(
        output,
        () => runtime.upload(cotangent, output.shape, 'f32', 'cotangent'),
        observer,
      );
    }
    if (output.array.size !== 1)
      throw new RangeError(`backward() needs a loss of one element, got ${output}`);
    if (lossScale) return this.walkBack(output, () => lossScale.cotangent(output, scale), observer);
    // By a kernel: a write would have to wait for the forward pass to be submitted.
    const scaled = () => {
      const array = runtime.empty(output.shape, 'f32', 'cotangent');
      fill(runtime, { out: array, value: scale });
      return array;
    };
    return this.walkBack(output, scaled, observer);
  }

  private uploaded(inputs: StepInputs<string>): StepTensors<string> {
    const tensors: Record<string, Tensor> = {};
    for (const [name, input] of Object.entries(inputs)) {
      const array =
        input instanceof GpuArray ? input : this.runtime.upload(input.data, input.shape, input.dtype, name);
      tensors[name] = new Tensor(this, array, false, name);
    }
    return tensors;
  }

  /** A stage without gradients. */
  private tidily<Inputs extends readonly Tensor[]>(
    inputs: Inputs,
    body: (...inputs: Inputs) => Tensor,
    consumes: boolean,
  ): Tensor {
    const { runtime } = this;
    const { kept } = this.ownership;
    const result = runtime.scope(() => {
      const made = body(...inputs);
      runtime.allocations.escape(made.array);
      // Of what is kept, a scope owns only that of a recorded step.
      for (const array of kept) runtime.allocations.escape(array);
      return made;
    });
    if (!consumes) return result;
    for (const { array } of inputs) {
      const isFree = array.storage !== result.array.storage && !kept.has(array);
      // What a scope does not own belongs to somebody else, e.g. to the parameters.
      if (isFree && runtime.allocations.isScoped(array)) runtime.release(array);
    }
    return result;
  }

  /** A stage that the backward pass runs again. */
  private twice<Inputs extends readonly Tensor[]>(
    inputs: Inputs,
    body: (...inputs: Inputs) => Tensor,
  ): Tensor {
    const { array, name } = this.noGrad(() => this.tidily(inputs, body, false));
    // Parameters that it uses are not known, so that a gradient is taken to be needed.
    const y = new Tensor(this, array, true, name);
    this.record({
      name: 'recompute',
      inputs,
      outputs: [y],
      saved: [],
      // An engine's own backward pass hands down all of its gradients, not only what operations see.
      backward: (gradients: Gradients) => this.walkBackAgain(y, inputs, body, gradients),
    });
    return y;
  }

  /** A new tape; returns what brings the one before back. */
  private beginTape(): () => void {
    const { nodes } = this;
    this.nodes = [];
    return () => {
      this.nodes = nodes;
    };
  }

  private walkBack(output: Tensor, makeCotangent: () => GpuArray, observer?: GradientObserver): Gradients {
    if (!output.requiresGrad) {
      throw new Error(`${output} does not depend on anything that requires a gradient`);
    }
    if (!this.nodes.some(({ outputs }) => outputs.includes(output))) {
      throw new Error(
        `${output} was not made on the current tape: backward() uses the tape up, and so does the end of a step.` +
          ' Add losses up and call it once.',
      );
    }
    const gradients = new Gradients(this.runtime, observer);
    // It is to be read afterwards, even where other operations have used it.
    const { kept } = this.ownership;
    kept.add(output.array);
    try {
      gradients.donate(output, makeCotangent());
      this.walkTape(gradients);
    } finally {
      kept.remove(output.array);
    }
    gradients.complete();
    return gradients;
  }

  /** Runs a stage whose result was `y` with a tape, and walks back through it with the gradient of `y`. */
  private walkBackAgain<Inputs extends readonly Tensor[]>(
    y: Tensor,
    inputs: Inputs,
    body: (...inputs: Inputs) => Tensor,
    gradients: Gradients,
  ): void {
    const { gradDisabled } = this;
    this.gradDisabled = 0;
    const end = this.beginTape();
    // What `body` keeps was kept the first time; this time it ends with the scope.
    const leave = this.ownership.beginLeavingKept();
    // The tape around this one returns them; views that `body` makes of them must not.
    for (const { array } of inputs) this.ownership.kept.add(array);
    try {
      this.runtime.scope(() => {
        const again = body(...inputs);
        gradients.donate(again, gradients.of(y));
        gradients.drop(y);
        this.walkTape(gradients);
        gradients.escape();
      });
    } finally {
      leave();
      end();
      this.gradDisabled = gradDisabled;
    }
  }

  /** Walks the tape back and uses it up. */
  private walkTape(gradients: Gradients): void {
    const { nodes } = this;
    this.nodes = [];
    walkBack(this.runtime, nodes, gradients, this.ownership.kept);
  }
}
