import { formatBytes, OutOfMemoryError, type Runtime } from '@tubelet/kernels';
import { totalmem } from 'node:os';
import { UserError } from '../errors.js';
import { deviceOf, dryTraining, largestBatch, memoryOnPaper, onPaper } from './dry-step.js';
import type { Trainable } from './task.js';

/** A step does not fit the memory of the GPU. */
export class BatchTooLargeError extends UserError {
  override readonly name = 'BatchTooLargeError';
}

// The first step of a shape is taken as it comes, the second is recorded: between them they use every kernel and buffer.
const STEPS = 2;

/**
 * Takes the first steps of a training on paper, on a device like this one.
 *
 * @returns the runtime on paper, which knows the kernels and the memory that they take
 * @throws BatchTooLargeError where they cannot fit, which names the largest batch that does
 */
export async function stepsOnPaper<Batch>(runtime: Runtime, training: Trainable<Batch>): Promise<Runtime> {
  const paper = onPaper(deviceOf(runtime));
  try {
    const { step } = dryTraining(training)(paper, training.options.batchSize);
    for (let i = 0; i < STEPS; i++) await step({ step: i, epoch: 0, stepInEpoch: i });
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error;
    const { maxBufferSize, maxStorageBufferBindingSize } = runtime.device.limits;
    const most = formatBytes(Math.min(maxBufferSize, maxStorageBufferBindingSize));
    const why = `it needs an array of ${formatBytes(error.requestedBytes)}, and none may have more than ${most} there`;
    throw await batchTooLarge(runtime, training, why, Infinity);
  }
  const heldBytes = paper.pool.reservedBytes;
  const roomBytes = runtime.adapter.isSoftware ? hostMemoryBytes() : Infinity;
  if (heldBytes > roomBytes) {
    const why = `its buffers are ${formatBytes(heldBytes)}, and this machine, whose memory a software driver uses, has ${formatBytes(roomBytes)}`;
    throw await batchTooLarge(runtime, training, why, roomBytes);
  }
  return paper;
}

/** The memory of this machine, or of the container that this process is in. */
function hostMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/**
 * What to tell of memory that the driver refused. WebGPU does not say how much a GPU has: what it gave before it refused
 * more is what is known to be there.
 */
export function refusedMemory<Batch>(
  runtime: Runtime,
  training: Trainable<Batch>,
  { requestedBytes, heldBytes }: OutOfMemoryError,
): Promise<BatchTooLargeError> {
  const more = requestedBytes > 0 ? formatBytes(requestedBytes) : 'any';
  const why =
    `the driver gave ${formatBytes(heldBytes)} and refused ${more} more (WebGPU does not tell how much a GPU has, nor ` +
    'what other programs hold)';
  return batchTooLarge(runtime, training, why, heldBytes);
}

async function batchTooLarge<Batch>(
  runtime: Runtime,
  training: Trainable<Batch>,
  why: string,
  budgetBytes: number,
): Promise<BatchTooLargeError> {
  const { batchMultiple, options } = training;
  const { batchSize, recompute } = options;
  const { description, device } = runtime.adapter;
  const memoryOf = (size: number) => memoryOnPaper(deviceOf(runtime), dryTraining(training), size);
  const largest = await largestBatch(memoryOf, budgetBytes, batchMultiple);
  const remedy = largest
    ? `The largest batch that fits is --batch-size ${largest.batchSize}, whose buffers are ` +
      `${formatBytes(largest.heldBytes)}; a higher --accumulate makes up for the clips of a step`
    : 'Not even the smallest batch fits: take a smaller model';
  const more = recompute ? '' : ', and --recompute makes room for more';
  return new BatchTooLargeError(
    `a step with --batch-size ${batchSize} does not fit ${description || device}: ${why}. ${remedy}${more}.`,
  );
}
