import { formatBytes, NoAdapterError, OutOfMemoryError, type Runtime } from '@tubelet/kernels';
import { closeNodeRuntime } from '@tubelet/kernels/node';
import type { TrainingOptions } from '../options/training-options.js';
import {
  deviceOf,
  dryTraining,
  largestBatch,
  memoryOnPaper,
  type BeginTraining,
  type PaperDevice,
  type StepMemory,
} from './dry-step.js';
import { openTrainingRuntime } from './precision.js';
import type { Trainable } from './task.js';
import { useTuning } from './tuning.js';

export interface MemoryRequest<Batch, Options extends TrainingOptions> {
  readonly options: Options;
  /** The training that options describe. */
  readonly trainable: (options: Options) => Trainable<Batch>;
}

/**
 * What a step of a training takes of the GPU's memory, as text: by what it is for, what each further clip adds, and the
 * largest batch that fits the budget. The step is taken on paper, on a device like the one that a run would use.
 */
export async function memoryReport<Batch, Options extends TrainingOptions>(
  request: MemoryRequest<Batch, Options>,
): Promise<string> {
  const runtime = await runtimeHere(request.options);
  if (!runtime) return memoryReportOn({}, 'no GPU is here: one with common limits is assumed', request);
  const { description, device } = runtime.adapter;
  try {
    return await memoryReportOn(deviceOf(runtime), description || device, request);
  } finally {
    closeNodeRuntime(runtime);
  }
}

/** The same on paper for a device of these limits. */
export async function memoryReportOn<Batch, Options extends TrainingOptions>(
  like: PaperDevice,
  name: string,
  { options, trainable }: MemoryRequest<Batch, Options>,
): Promise<string> {
  const { batchSize, memoryBudget: budgetBytes } = options;
  const training = trainable(options);
  const { batchMultiple: multiple = 1 } = training;
  const memoryOf = memoryByBatch(like, dryTraining(training));
  // With --recompute where that is not asked for, without where it is.
  const other = {
    name: options.recompute ? 'without --recompute' : 'with --recompute',
    options: { ...options, recompute: !options.recompute },
  };
  const otherMemoryOf = memoryByBatch(like, dryTraining(trainable(other.options)));
  // What the other way takes, behind what this one does.
  const beside = (bytes: number | undefined) =>
    bytes === undefined ? '' : `; ${other.name} ${formatBytes(bytes)}`;
  const lines = [`a step with ${batchSize} clips on the GPU at once (${name}), found without computing it:`];
  const asked = await memoryOf(batchSize);
  if (asked instanceof OutOfMemoryError) {
    lines.push(`it cannot run: ${asked.message}`);
  } else {
    const otherAsked = await otherMemoryOf(batchSize);
    const otherRuns = otherAsked instanceof OutOfMemoryError ? undefined : otherAsked;
    lines.push(...memoryLines(asked, beside(otherRuns?.activationBytes)));
    const more = await bytesOfClip(memoryOf, batchSize);
    const otherMore = await bytesOfClip(otherMemoryOf, batchSize);
    if (more !== undefined) {
      lines.push(line('each more', `about ${formatBytes(more)} a clip${beside(otherMore)}`));
    }
  }
  if (budgetBytes === undefined) {
    lines.push(
      'WebGPU does not tell how much memory a GPU has: --memory-budget 8GiB finds the batch that fits',
    );
    return lines.join('\n');
  }
  const largest = await largestBatch(memoryOf, budgetBytes, multiple);
  lines.push(line('largest', largestText(largest, budgetBytes)));
  if (largest && (await memoryOf(largest.batchSize + multiple)) instanceof OutOfMemoryError) {
    lines.push(line('', 'a larger one needs an array beyond what this GPU takes, whatever its memory'));
  }
  const otherLargest = await largestBatch(otherMemoryOf, budgetBytes, multiple);
  if (otherLargest) lines.push(line('', `${other.name}, ${largestText(otherLargest, budgetBytes)}`));
  return lines.join('\n');
}

type MemoryOf = (batchSize: number) => Promise<StepMemory | OutOfMemoryError>;

/** What a step takes by batch size; found once for each. */
function memoryByBatch(like: PaperDevice, begin: BeginTraining): MemoryOf {
  const known = new Map<number, ReturnType<MemoryOf>>();
  return (batchSize) => {
    if (!known.has(batchSize)) known.set(batchSize, memoryOnPaper(like, begin, batchSize));
    return known.get(batchSize)!;
  };
}

/** What each clip adds to a batch of this size; undefined where it, or the double, does not run. */
async function bytesOfClip(memoryOf: MemoryOf, batchSize: number): Promise<number | undefined> {
  const [single, double] = [await memoryOf(batchSize), await memoryOf(2 * batchSize)];
  if (single instanceof OutOfMemoryError || double instanceof OutOfMemoryError) return undefined;
  return (double.heldBytes - single.heldBytes) / batchSize;
}

function largestText(largest: StepMemory | undefined, budgetBytes: number): string {
  const budget = formatBytes(budgetBytes);
  if (!largest) return `no batch fits ${budget}: take a smaller model`;
  return `--batch-size ${largest.batchSize} fits ${budget}: it holds ${formatBytes(largest.heldBytes)}`;
}

/** A line for each part of what a step takes. */
function memoryLines(memory: StepMemory, otherActivations = ''): string[] {
  const parts: [string, number][] = [
    ['parameters', memory.parameterBytes],
    ['gradients', memory.gradientBytes],
    ['optimiser', memory.optimiserBytes],
    ['input', memory.inputBytes],
  ];
  return [
    ...parts.map(([name, bytes]) => line(name, formatBytes(bytes))),
    line('activations', formatBytes(memory.activationBytes) + otherActivations),
    line(
      'total',
      `${formatBytes(memory.peakBytes)} in use at the most, in buffers of ${formatBytes(memory.heldBytes)}`,
    ),
  ];
}

const line = (name: string, text: string) => `${name.padEnd(12)}${text}`;

/** The device that a new run would use, with the variants that it would use; undefined where there is none. */
async function runtimeHere(options: TrainingOptions): Promise<Runtime | undefined> {
  const note = () => undefined;
  try {
    const runtime = await openTrainingRuntime(options, note, options.gpu);
    useTuning(runtime, { autotune: options.autotune, note });
    return runtime;
  } catch (error) {
    if (error instanceof NoAdapterError) return undefined;
    throw error;
  }
}
