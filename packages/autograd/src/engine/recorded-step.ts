import { Arena, RecordingError, GpuArray, type DType, type HostData, type Recording } from '@tubelet/kernels';
import { Tensor, type Tape } from './tensor.js';

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
export type StepTensors<Name extends string> = Readonly<Record<Name, Tensor>>;

/** What recorded steps need of their engine. */
export interface RecordingTape extends Tape {
  /** Runs `body`, which does not wait, on a tape of its own; what it keeps stays in the memory of the recording. */
  onRecordedTape<T>(body: () => T): T;
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
 * What `Engine.step` does for a body that is recorded: it runs it twice for given shapes, as it is and to record its
 * commands, and from then on replays them with new inputs: no shapes, no allocation, no bind groups, no tape. Other
 * shapes, or other parameters that already have a gradient (accumulation), make a recording of their own.
 *
 * The memory that steps work in belongs to the object: it is not used by anything else, and results can be read
 * until the next `run`.
 */
export class RecordedStep<Name extends string, Result> {
  private readonly arena = new Arena();
  /** Copies on the GPU of what comes from the host, by shapes. */
  private readonly inputs = new Map<string, Partial<StepTensors<Name>>>();
  private readonly plans = new Map<string, Plan<Result>>();
  /** Keys that have run once. */
  private readonly seen = new Set<string>();

  constructor(
    private readonly tape: RecordingTape,
    private readonly body: (inputs: StepTensors<Name>) => Result,
  ) {}

  /** Number of recordings there are. */
  get recordings(): number {
    return this.plans.size;
  }

  /**
   * One step on new inputs. Returns what the body returned; its arrays hold the values of this step until the next.
   *
   * @param variant names what else the body depends on; another is another recording
   * @throws RecordingError when the body does what cannot be repeated, and whatever the body throws
   */
  run(inputs: StepInputs<Name>, variant = ''): Result {
    const { tape } = this;
    const { runtime } = tape;
    const stores = [...tape.stores];
    const shapes = shapesKey(inputs);
    const flags = stores.map((store) => store.gradientFlags().map(Number).join('')).join(' ');
    const key = `${shapes}; ${runtime.precision} ${tape.gradEnabled} ${flags} ${variant}`;
    const written = this.write(shapes, inputs);
    for (const store of stores) store.prepareStep();
    const plan = this.plans.get(key);
    if (plan) {
      runtime.replay(plan.recording);
      stores.forEach((store, i) => store.restoreGradientFlags(plan.flags[i]!));
      return plan.result;
    }
    const tensors = { ...givenTensors(tape, inputs), ...written } as StepTensors<Name>;
    const step = () => {
      const result = tape.onRecordedTape(() => this.body(tensors));
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
    const { runtime } = this.tape;
    for (const tensors of this.inputs.values()) {
      for (const tensor of Object.values<Tensor | undefined>(tensors)) {
        if (tensor) runtime.release(tensor.array);
      }
    }
    this.inputs.clear();
    this.plans.clear();
    this.seen.clear();
    runtime.pool.trim(this.arena);
  }

  private write(shapes: string, inputs: StepInputs<Name>): Partial<StepTensors<Name>> {
    const { runtime } = this.tape;
    const known = this.inputs.get(shapes);
    if (!known && this.inputs.size === SHAPES_LIMIT) this.release();
    const tensors: Partial<Record<Name, Tensor>> = known ?? {};
    for (const name in inputs) {
      const input: StepInput | GpuArray = inputs[name];
      if (input instanceof GpuArray) continue;
      const tensor = tensors[name];
      if (tensor) runtime.write(tensor.array, input.data);
      else {
        const array = runtime.keep(runtime.upload(input.data, input.shape, input.dtype, name));
        tensors[name] = new Tensor(this.tape, array, false, name);
      }
    }
    this.inputs.set(shapes, tensors);
    return tensors;
  }
}

/** A step as it is given to `Engine.step`. */
export type StepBody = (inputs: StepTensors<string>) => unknown;

// A program has few steps; a function that is made for each call would never be replayed, and fill the memory.
const UNREPEATED_LIMIT = 16;

/** The recorded steps of an engine, each known by its function. */
export class RecordedSteps {
  private readonly steps = new Map<StepBody, RecordedStep<string, unknown>>();

  constructor(private readonly tape: RecordingTape) {}

  /** Number of recordings there are. */
  get recordings(): number {
    let count = 0;
    for (const { recordings } of this.steps.values()) count += recordings;
    return count;
  }

  /**
   * The step of a function.
   *
   * @throws Error after many functions of which none was given twice
   */
  of(body: StepBody): RecordedStep<string, unknown> {
    let step = this.steps.get(body);
    if (!step) {
      const unrepeated = [...this.steps.values()].filter(({ recordings }) => recordings === 0);
      if (unrepeated.length >= UNREPEATED_LIMIT) {
        throw new Error(
          `step() was to record ${unrepeated.length} functions and was given each of them once: give it the same ` +
            'function each time, which is made outside of the loop',
        );
      }
      this.steps.set(body, (step = new RecordedStep(this.tape, body)));
    }
    return step;
  }

  /** Returns the memory of a step, and forgets it. */
  release(body: StepBody): void {
    this.steps.get(body)?.release();
    this.steps.delete(body);
  }
}

/** The inputs that lie on the GPU already. */
function givenTensors(tape: Tape, inputs: StepInputs<string>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, input]) =>
      input instanceof GpuArray ? [[name, new Tensor(tape, input, false, name)]] : [],
    ),
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
