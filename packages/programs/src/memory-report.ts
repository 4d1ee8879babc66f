import {
  formatBytes,
  likeRuntime,
  NoAdapterError,
  OutOfMemoryError,
  type PaperOptions,
  type Runtime,
} from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { largestBatch, memoryOnPaper, type BeginTraining, type StepMemory } from './dry-step.js';

export interface MemoryRequest {
  readonly begin: BeginTraining;
  readonly batchSize: number;
  /** Batches must be multiples of it; default 1. */
  readonly multiple?: number;
  readonly budgetBytes?: number;
}

/**
 * What a step of a training takes of the GPU's memory, as text: by what it is for, what each further clip adds, and the
 * largest batch that fits the budget. The step is taken on paper, on a device like the one that a run would use.
 */
export async function memoryReport(request: MemoryRequest): Promise<string> {
  const runtime = await runtimeHere();
  if (!runtime) return memoryReportOn({}, 'no GPU is here: one with common limits is assumed', request);
  const { description, device } = runtime.adapter;
  try {
    return await memoryReportOn(likeRuntime(runtime), description || device, request);
  } finally {
    closeNodeRuntime(runtime);
  }
}

/** The same on paper for a device of these limits. */
export async function memoryReportOn(
  like: Pick<PaperOptions, 'adapter' | 'limits'>,
  name: string,
  { begin, batchSize, multiple = 1, budgetBytes }: MemoryRequest,
): Promise<string> {
  const known = new Map<number, Promise<StepMemory | OutOfMemoryError>>();
  const memoryOf = (size: number) => {
    if (!known.has(size)) known.set(size, memoryOnPaper(like, begin, size));
    return known.get(size)!;
  };
  const asked = await memoryOf(batchSize);
  const lines = [`a step with ${batchSize} clips on the GPU at once (${name}), found without computing it:`];
  if (asked instanceof OutOfMemoryError) {
    lines.push(`it cannot run: ${asked.message}`);
  } else {
    lines.push(...memoryLines(asked));
    const double = await memoryOf(2 * batchSize);
    if (!(double instanceof OutOfMemoryError)) {
      lines.push(
        line('each more', `about ${formatBytes((double.heldBytes - asked.heldBytes) / batchSize)} a clip`),
      );
    }
  }
  if (budgetBytes === undefined) {
    lines.push(
      'WebGPU does not tell how much memory a GPU has: --memory-budget 8GiB finds the batch that fits',
    );
  } else {
    const largest = await largestBatch(memoryOf, budgetBytes, multiple);
    lines.push(line('largest', largestText(largest, budgetBytes)));
    if (largest && (await memoryOf(largest.batchSize + multiple)) instanceof OutOfMemoryError) {
      lines.push(line('', 'a larger one needs an array beyond what this GPU takes, whatever its memory'));
    }
  }
  return lines.join('\n');
}

function largestText(largest: StepMemory | undefined, budgetBytes: number): string {
  const budget = formatBytes(budgetBytes);
  if (!largest) return `no batch fits ${budget}: take a smaller model`;
  return `--batch-size ${largest.batchSize} fits ${budget}: it holds ${formatBytes(largest.heldBytes)}`;
}

/** A line for each part of what a step takes. */
function memoryLines(memory: StepMemory): string[] {
  const parts: [string, number][] = [
    ['parameters', memory.parameterBytes],
    ['gradients', memory.gradientBytes],
    ['optimiser', memory.optimiserBytes],
    ['input', memory.inputBytes],
    ['activations', memory.activationBytes],
  ];
  return [
    ...parts.map(([name, bytes]) => line(name, formatBytes(bytes))),
    line(
      'total',
      `${formatBytes(memory.peakBytes)} in use at the most, in buffers of ${formatBytes(memory.heldBytes)}`,
    ),
  ];
}

const line = (name: string, text: string) => `${name.padEnd(12)}${text}`;

/** The device that a run would use; undefined where there is none. */
async function runtimeHere(): Promise<Runtime | undefined> {
  try {
    return await openNodeRuntime();
  } catch (error) {
    if (error instanceof NoAdapterError) return undefined;
    throw error;
  }
}
