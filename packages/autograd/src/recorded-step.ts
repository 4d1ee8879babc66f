import { Arena, RecordingError, GpuArray, type DType, type HostData, type Recording } from '@tubelet/kernels';
import type { Engine } from './engine.js';
import type { ParameterStore } from './parameters.js';

/** Data that a step gets from the host, row-major. */
export interface StepInput {
  readonly data: HostData;
  readonly shape: readonly number[];
  /** Default: what fits the data. */
  readonly dtype?: DType;
}

/** What a step is given: data from the host, or arrays that are filled anew for each step and stay where they are. */
export type StepInputs<Name extends string> = Readonly<Record<Name, StepInput | GpuArray>>;

/** The inputs of a step on the GPU, under their names. */
export type StepArrays<Name extends string> = Readonly<Record<Name, GpuArray>>;

/** What a recorded step does, and what it depends on. */
export interface RecordedStepOptions<Name extends string, Result> {
  /**
   * Models whose gradients the step makes. Which of their parameters already have a gradient decides what the step does:
   * it overwrites those of the others.
   */
  readonly stores: readonly ParameterStore[];
  /**
   * One step, e.g. forward, backward and norm of the gradient. It must do the same for the same shapes: all that
   * differs from step to step must come in `inputs`, and all that happens on the host (files, counters, learning
   * rates) must happen outside. It may neither read nor write arrays from the host nor wait.
   */
  readonly body: (inputs: StepArrays<Name>) => Result;
  /** Names what else the body depends on and does not come in `inputs`; another name is another recording. */
  readonly variant?: (() => string) | undefined;
}

/** What is known about one set of shapes and gradients. */
interface Plan<Result> {
  readonly recording: Recording;
  readonly result: Result;
  /** Which parameters have a gradient afterwards, by store. */
  readonly flags: readonly (readonly boolean[])[];
}

// More shapes than this are not those of a training loop; keeping all would fill the memory.
const SHAPES_LIMIT = 8;

/**
 * A step that runs its body twice for given shapes, as it is and to record its commands, and from then on replays
 * them with new inputs: no shapes, no allocation, no bind groups, no tape. Other shapes, or other parameters that
 * already have a gradient (accumulation), make a recording of their own.
 *
 * The memory that steps work in belongs to the object: it is not used by anything else, and results can be read
 * until the next `run`.
 */
export class RecordedStep<Name extends string, Result> {
  private readonly arena = new Arena();
  /** Copies on the GPU of what comes from the host, by shapes. */
  private readonly inputs = new Map<string, Partial<StepArrays<Name>>>();
  private readonly plans = new Map<string, Plan<Result>>();
  /** Keys that have run once. */
  private readonly seen = new Set<string>();

  constructor(
    readonly engine: Engine,
    private readonly options: RecordedStepOptions<Name, Result>,
  ) {}

  /** Number of recordings there are. */
  get recordings(): number {
    return this.plans.size;
  }

  /**
   * One step on new inputs. Returns what the body returned; its arrays hold the values of this step until the next.
   * Throws `RecordingError` when the body does what cannot be repeated, and whatever the body throws.
   */
  run(inputs: StepInputs<Name>): Result {
    const { runtime } = this.engine;
    const { stores, body, variant } = this.options;
    const shapes = shapesKey(inputs);
    const key = `${shapes}; ${this.engine.gradEnabled} ${gradientsKey(stores)} ${variant?.() ?? ''}`;
    const arrays = { ...givenArrays(inputs), ...this.write(shapes, inputs) } as StepArrays<Name>;
    const plan = this.plans.get(key);
    if (plan) {
      runtime.replay(plan.recording);
      stores.forEach((store, i) => store.restoreGradientFlags(plan.flags[i]!));
      return plan.result;
    }
    const step = () => {
      const result = this.engine.onTape(() => body(arrays));
      if (result instanceof Promise) throw new RecordingError('a step that is to be recorded must not wait');
      return result;
    };
    // The first time things may be made that stay: pipelines, tables that a model uploads once.
    if (!this.seen.has(key)) {
      const result = runtime.pool.within(this.arena, () => runtime.scope(step));
      this.seen.add(key);
      return result;
    }
    const { result, recording } = runtime.record(this.arena, step);
    this.plans.set(key, { recording, result, flags: stores.map((store) => store.gradientFlags()) });
    return result;
  }

  /** Returns all memory; results of earlier runs must not be used any more. Further runs begin anew. */
  release(): void {
    const { runtime } = this.engine;
    for (const arrays of this.inputs.values()) {
      for (const array of Object.values<GpuArray | undefined>(arrays)) if (array) runtime.release(array);
    }
    this.inputs.clear();
    this.plans.clear();
    this.seen.clear();
    runtime.pool.trim(this.arena);
  }

  private write(shapes: string, inputs: StepInputs<Name>): Partial<StepArrays<Name>> {
    const { runtime } = this.engine;
    const known = this.inputs.get(shapes);
    if (!known && this.inputs.size === SHAPES_LIMIT) this.release();
    const arrays: Partial<Record<Name, GpuArray>> = known ?? {};
    for (const name in inputs) {
      const input: StepInput | GpuArray = inputs[name];
      if (input instanceof GpuArray) continue;
      const array = arrays[name];
      if (array) runtime.write(array, input.data);
      else arrays[name] = runtime.keep(runtime.upload(input.data, input.shape, input.dtype, name));
    }
    this.inputs.set(shapes, arrays);
    return arrays;
  }
}

function givenArrays(inputs: StepInputs<string>): Record<string, GpuArray> {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, input]) => (input instanceof GpuArray ? [[name, input]] : [])),
  );
}

function shapesKey(inputs: StepInputs<string>): string {
  let key = '';
  for (const name of Object.keys(inputs).sort()) {
    const input = inputs[name]!;
    if (input instanceof GpuArray) key += `${name} ${input} in ${input.storage.id}, `;
    else key += `${name} ${input.dtype ?? input.data.constructor.name} ${input.shape.join('×')}, `;
  }
  return key;
}

function gradientsKey(stores: readonly ParameterStore[]): string {
  return stores.map((store) => store.gradientFlags().map(Number).join('')).join(' ');
}
