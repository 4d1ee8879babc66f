import { fill, type DType, type GpuArray, type HostData, type Runtime } from '@tubelet/kernels';
import { Gradients } from './gradients.js';
import type { GradientObserver } from './gradient-reduction.js';
import type { LossScale } from './loss-scale.js';
import { Tensor, type Node, type Tape } from './tensor.js';

/** How a backward pass begins, and who is told of its gradients. */
export interface BackwardOptions {
  /** Multiplies the gradient; default 1. */
  readonly scale?: number;
  readonly lossScale?: LossScale | undefined;
  readonly observer?: GradientObserver | undefined;
}

/**
 * The tape. Operations append themselves while gradients are enabled; `backward` walks them in reverse.
 * Memory made inside `step` is returned to the pool as soon as the backward pass is done with it, the rest
 * at the end of the step.
 */
export class Engine implements Tape {
  private nodes: Node[] = [];
  /** Storages that the caller wants to read after `backward`. */
  private retained = new Map<number, GpuArray>();
  private gradDisabled = 0;
  private openSteps = 0;
  /** What the last step returned. */
  private lastResult: GpuArray | undefined;

  constructor(readonly runtime: Runtime) {}

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
   * Runs one training or inference step: everything it allocates is reused by the next one, but for a tensor that it
   * returns, which can be read until the next step begins. A step inside another has a tape of its own. When the body
   * throws, its memory is returned all the same, but parameters that the backward pass had reached keep what they got:
   * `ParameterStore.zeroGradients` forgets it.
   */
  async step<T>(body: () => T | Promise<T>): Promise<T> {
    const { runtime } = this;
    if (this.openSteps === 0) this.releaseLastResult();
    this.openSteps++;
    try {
      return await runtime.scope(async () => {
        const end = this.beginTape();
        try {
          const result = await body();
          if (result instanceof Tensor) this.handOut(result.array);
          return result;
        } finally {
          end();
        }
      });
    } finally {
      this.openSteps--;
    }
  }

  /** Runs `body`, which does not wait, on a tape of its own; what it allocates belongs to the scope around it. */
  onTape<T>(body: () => T): T {
    const end = this.beginTape();
    try {
      return body();
    } finally {
      end();
    }
  }

  /** Keeps an intermediate result readable after `backward` and `tidy`, until the end of the step. */
  retain(tensor: Tensor): Tensor {
    this.retained.set(tensor.array.storage.id, tensor.array);
    return tensor;
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
   * to the pool at its end, but for its result and what was passed to `retain`: inference needs memory for its
   * largest stage instead of for all. `consumes` names the tensor of the step that nobody uses after this stage; it
   * is returned too. While gradients are enabled nothing is returned: the backward pass needs it.
   */
  tidy(body: () => Tensor, { consumes }: { consumes?: Tensor } = {}): Tensor {
    if (this.gradEnabled) return body();
    const { runtime, retained } = this;
    const result = runtime.scope(() => {
      const made = body();
      runtime.escape(made.array);
      for (const array of retained.values()) runtime.escape(array);
      return made;
    });
    const used = consumes?.array;
    if (used && used.storage !== result.array.storage && !retained.has(used.storage.id)) {
      // What a scope does not own belongs to somebody else, e.g. to the parameters.
      if (runtime.isScoped(used)) runtime.release(used);
    }
    return result;
  }

  /**
   * One stage of a forward pass, such as a block of a transformer, of which nothing is kept for the backward pass but
   * `inputs` and the result: the backward pass runs `body` on them once more, with a tape, and goes back through that
   * (Chen et al., 2016, "Training deep nets with sublinear memory cost"). It costs a second forward pass and saves the
   * memory of all that `body` makes on its way; gradients are the same to the last bit.
   *
   * Both runs of `body` must do the same: random numbers are drawn before it, and nothing that it reads is overwritten.
   * Parameters aside, all tensors that it reads are among `inputs`.
   */
  recompute<Inputs extends readonly Tensor[]>(inputs: Inputs, body: (...inputs: Inputs) => Tensor): Tensor {
    const { array, name } = this.noGrad(() => this.tidy(() => body(...inputs)));
    // Parameters that it uses are not known, so that a gradient is taken to be needed.
    const y = new Tensor(this, array, this.gradEnabled, name);
    if (!y.requiresGrad) return y;
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

  /**
   * Adds the gradient of `loss` (one element) to every parameter it depends on, times `scale` and, where there is one,
   * the loss scale; consumes the tape. Gradients of leaf tensors can be read from the returned object until the step
   * ends. `observer`: is told of the gradients of parameters as they come.
   */
  backward(loss: Tensor, { scale = 1, lossScale, observer }: BackwardOptions = {}): Gradients {
    if (loss.array.size !== 1) throw new RangeError(`backward() needs a loss of one element, got ${loss}`);
    this.retain(loss);
    if (lossScale) return this.walkBack(loss, () => lossScale.cotangent(loss, scale), observer);
    // By a kernel: a write would have to wait for the forward pass to be submitted.
    const cotangent = () => {
      const array = this.runtime.empty(loss.shape, 'f32', 'cotangent');
      fill(this.runtime, { out: array, value: scale });
      return array;
    };
    return this.walkBack(loss, cotangent, observer);
  }

  /**
   * Like `backward`, from any tensor with the given cotangent (row-major, same shape). Intermediate results are
   * returned to the pool as it goes: what is to be read afterwards must be passed to `retain` first.
   */
  backwardFrom(output: Tensor, cotangent: Float32Array): Gradients {
    return this.walkBack(output, () => this.runtime.upload(cotangent, output.shape, 'f32', 'cotangent'));
  }

  /** Lets what a step returns outlive it. */
  private handOut(array: GpuArray): void {
    // What no scope owns belongs to somebody else, e.g. to the parameters.
    if (!this.runtime.isScoped(array)) return;
    this.runtime.escape(array);
    if (this.openSteps === 1) this.lastResult = array;
  }

  private releaseLastResult(): void {
    if (this.lastResult) this.runtime.release(this.lastResult);
    this.lastResult = undefined;
  }

  /** A new tape; returns what brings the one before back. */
  private beginTape(): () => void {
    const { nodes, retained } = this;
    this.nodes = [];
    this.retained = new Map();
    return () => {
      this.nodes = nodes;
      this.retained = retained;
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
    gradients.donate(output, makeCotangent());
    this.walkTape(gradients);
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
    try {
      this.runtime.scope(() =>
        this.onTape(() => {
          // The tape around this one returns them; views that `body` makes of them must not.
          for (const input of inputs) this.retain(input);
          const again = body(...inputs);
          gradients.donate(again, gradients.of(y));
          gradients.drop(y);
          this.walkTape(gradients);
          gradients.escape();
        }),
      );
    } finally {
      this.gradDisabled = gradDisabled;
    }
  }

  /** Walks the tape back, uses it up, and returns its memory. */
  private walkTape(gradients: Gradients): void {
    const nodes = this.nodes;
    this.nodes = [];
    const users = countUsers(nodes);
    for (let i = nodes.length - 1; i >= 0; i--) {
      const node = nodes[i]!;
      if (node.outputs.some((tensor) => gradients.has(tensor))) {
        node.backward(gradients);
        gradients.operationDone();
      }
      for (const tensor of node.outputs) gradients.drop(tensor);
      this.releaseAfter(node, users);
    }
  }

  /** Returns a node's arrays to the pool once no earlier node can need them. */
  private releaseAfter(node: Node, users: Map<number, Users>): void {
    for (const array of node.saved) this.runtime.release(array);
    for (const { array } of node.inputs) this.releaseIfDone(array, users);
    for (const { array } of node.outputs) this.releaseIfDone(array, users);
  }

  private releaseIfDone(array: GpuArray, users: Map<number, Users>): void {
    const { id } = array.storage;
    const use = users.get(id)!;
    const isDone = --use.mentions === 0 && use.isProduced && use.isConsumed;
    if (isDone && !this.retained.has(id)) this.runtime.release(array);
  }
}

interface Users {
  mentions: number;
  isProduced: boolean;
  isConsumed: boolean;
}

// An array can be released when every node that mentions it is done, if it was both made and used on the
// tape: leaves belong to their makers, and final results (losses, predictions) to the caller's step.
function countUsers(nodes: readonly Node[]): Map<number, Users> {
  const users = new Map<number, Users>();
  const at = (tensor: Tensor): Users => {
    const id = tensor.array.storage.id;
    let use = users.get(id);
    if (!use) users.set(id, (use = { mentions: 0, isProduced: false, isConsumed: false }));
    use.mentions++;
    return use;
  };
  for (const node of nodes) {
    for (const input of node.inputs) at(input).isConsumed = true;
    for (const output of node.outputs) {
      const use = at(output);
      use.isProduced = true;
    }
  }
  return users;
}
