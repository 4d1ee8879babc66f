import type { ParameterStore } from '@tubelet/autograd';
import {
  GpuArray,
  likeRuntime,
  OutOfMemoryError,
  paperRuntime,
  type PaperOptions,
  type Runtime,
} from '@tubelet/kernels';
import { EpochReader, type EpochSource } from './epoch-reader.js';
import type { StepPosition } from './loop.js';
import type { Trainable } from './task.js';
import { trainingStep } from './train-step.js';

/** A training that is ready for its first step, on any runtime. */
export interface DryTraining {
  readonly store: ParameterStore;
  /** Bytes of what a step is given. */
  inputBytes(): number;
  /** One step of the optimiser, as the program takes it, on batches that hold only zeros. */
  step(position: StepPosition): Promise<unknown>;
}

/** Makes the training of a program, with so many clips on the GPU at once. */
export type BeginTraining = (runtime: Runtime, batchSize: number) => DryTraining;

/** What a step takes of the GPU's memory, in bytes; sizes as buffers have them, a little above what is asked for. */
export interface StepMemory {
  readonly batchSize: number;
  /** With their copy in f16, where products read one. */
  readonly parameterBytes: number;
  readonly gradientBytes: number;
  /** Moments and all else that lives from step to step, such as an average of the weights. */
  readonly optimiserBytes: number;
  readonly inputBytes: number;
  /** What is left of the peak: results that the backward pass needs, their gradients, and passing ones. */
  readonly activationBytes: number;
  /** Most memory in use at one time: what a run prints as its peak. */
  readonly peakBytes: number;
  /** All buffers that exist: those that wait for reuse too. This is what has to fit. */
  readonly heldBytes: number;
}

/** The training of a task on batches of zeros: the steps are those of a run. */
export function dryTraining<Batch>({ options, createModel, emptyBatch }: Trainable<Batch>): BeginTraining {
  return (runtime, batchSize) => {
    const model = createModel(runtime);
    const batch = emptyBatch(batchSize);
    const takeStep = trainingStep(
      model,
      new EpochReader(endless(batch), options.accumulate),
      options.accumulate,
    );
    return {
      store: model.store,
      inputBytes: () =>
        Object.values(model.inputs(batch, 0)).reduce(
          (sum, input) => sum + (input instanceof GpuArray ? input.sizeBytes : input.data.byteLength),
          0,
        ),
      step: async (position) => (await takeStep(position, 0)).settle(),
    };
  };
}

/** Batches of one kind without end, for a step that is not about what is in them. */
function endless<Batch>(batch: Batch): EpochSource<Batch> {
  return {
    stepsPerEpoch: Number.MAX_SAFE_INTEGER,
    async *epoch() {
      for (;;) yield batch;
    },
  };
}

// A step that is recorded and replayed does both by the third.
const STEPS = 3;

/**
 * Takes the first steps of a training on a runtime and reads what they took from its pool. On a runtime on paper that
 * costs no memory; on a real one it is what the training takes.
 */
export async function measureMemory(
  runtime: Runtime,
  begin: BeginTraining,
  batchSize: number,
): Promise<StepMemory> {
  const { pool } = runtime;
  const before = pool.liveBytes;
  const { store, inputBytes: bytesOfInputs, step } = begin(runtime, batchSize);
  const bytesOf = (kind: 'values' | 'gradients') =>
    store.banks.reduce((sum, bank) => sum + bank[kind].storage.sizeBytes, 0);
  const valueBytes = bytesOf('values');
  const gradientBytes = bytesOf('gradients');
  const optimiserBytes = pool.liveBytes - before - valueBytes - gradientBytes;
  const inputBytes = bytesOfInputs();
  for (let i = 0; i < STEPS; i++) await step({ step: i, epoch: 0, stepInEpoch: i });
  // Their twin in f16 is made where a step first reads it.
  const parameterBytes = store.twin.banks.reduce((sum, { storage }) => sum + storage.sizeBytes, valueBytes);
  const { peakBytes, reservedBytes: heldBytes } = pool;
  const activationBytes = peakBytes - parameterBytes - gradientBytes - optimiserBytes - inputBytes;
  return {
    batchSize,
    parameterBytes,
    gradientBytes,
    optimiserBytes,
    inputBytes,
    activationBytes,
    peakBytes,
    heldBytes,
  };
}

/** What a device on paper is like. */
export interface PaperDevice extends Pick<PaperOptions, 'adapter' | 'limits' | 'precision'> {
  /** The measured choices of variants that are used; none by default. */
  readonly tuning?: Runtime['tuning'];
}

/** What a device on paper must be like to take the steps that this runtime takes. */
export function deviceOf(runtime: Runtime): PaperDevice {
  return { ...likeRuntime(runtime), tuning: runtime.tuning };
}

/** A runtime on paper, which reads zeros. */
export function onPaper({ tuning, ...like }: PaperDevice): Runtime {
  const paper = paperRuntime({ ...like, reads: 'zeros' });
  paper.tuning = tuning;
  return paper;
}

/** What a step takes, found out on paper; the error where the adapter has no buffers as large as it needs. */
export async function memoryOnPaper(
  like: PaperDevice,
  begin: BeginTraining,
  batchSize: number,
): Promise<StepMemory | OutOfMemoryError> {
  try {
    return await measureMemory(onPaper(like), begin, batchSize);
  } catch (error) {
    if (error instanceof OutOfMemoryError) return error;
    throw error;
  }
}

/**
 * The largest batch whose step holds at most `budgetBytes`; undefined where not even the smallest does. Memory grows
 * nearly in a straight line with the batch: it is followed to where it meets the budget, and batches around there are
 * tried until one fits and the next does not.
 *
 * @param memoryOf as `memoryOnPaper` gives it
 * @param multiple batches must be multiples of it
 */
export async function largestBatch(
  memoryOf: (batchSize: number) => Promise<StepMemory | OutOfMemoryError>,
  budgetBytes: number,
  multiple = 1,
): Promise<StepMemory | undefined> {
  const fits = (memory: StepMemory | OutOfMemoryError): memory is StepMemory =>
    !(memory instanceof OutOfMemoryError) && memory.heldBytes <= budgetBytes;
  let best: StepMemory | undefined;
  // In multiples; `tooMany` is not known to be so until something of its size was tried.
  let fitting = 0;
  let tooMany = Infinity;
  let next = 1;
  while (fitting + 1 < tooMany) {
    const memory = await memoryOf(next * multiple);
    if (!fits(memory)) tooMany = next;
    else {
      const growth = best ? (memory.heldBytes - best.heldBytes) / (next - fitting) : 0;
      const room = Math.floor((budgetBytes - memory.heldBytes) / growth);
      [best, fitting] = [memory, next];
      // At least one more; never so far that a step of zeros would be a burden of its own.
      next += growth > 0 ? Math.max(1, Math.min(room, 8 * next)) : next;
      if (next < tooMany) continue;
    }
    next = Math.floor((fitting + tooMany) / 2);
  }
  return best;
}
