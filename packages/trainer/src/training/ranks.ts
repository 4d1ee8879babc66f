import { createHash } from 'node:crypto';
import { GradientReduction, type ParameterStore } from '@tubelet/autograd';
import type { SafetensorsTensor } from '@tubelet/autograd/formats';
import type { Communicator } from '@tubelet/mpi';
import type { BadFile } from '@tubelet/video';
import type { CheckpointContent } from '../formats/checkpoint.js';
import { UserError } from '../errors.js';
import type { Metrics } from '../program/meters.js';
import type { Progress } from '../program/progress.js';
import type { JsonValue, RunConfig, RunFolder } from '../run/run-folder.js';
import type { StopRequest } from '../program/stop-signal.js';
import type { BadFiles } from './bad-files.js';

/** The value that `make` gives on rank 0, on all ranks; the others do not call it. */
export async function fromFirst<T>(ranks: Communicator, make: () => T | Promise<T>): Promise<T> {
  const made = ranks.rank === 0 ? await make() : undefined;
  const [first] = await ranks.gather(made ?? null);
  return (first ?? undefined) as T;
}

/** What to do about ranks with other options or data. */
export const SAME_COMMAND = 'Start all with the same command line, on hosts that see the same files.';
/** What to do about ranks that would round otherwise. */
export const SAME_GPUS =
  'Choose hosts with GPUs of one kind and the same driver; --no-autotune leaves out what `tubelet tune` has measured on some.';

/**
 * Checks that all ranks have the same settings.
 *
 * @throws UserError with the first that differs, and the remedy
 */
export async function requireSameEverywhere(
  ranks: Communicator,
  settings: Readonly<Record<string, JsonValue>>,
  remedy: string,
): Promise<void> {
  const all = await ranks.gather(settings);
  const [first] = all;
  all.forEach((others, rank) => {
    for (const key of Object.keys({ ...first, ...others })) {
      const [was, is] = [JSON.stringify(first![key]), JSON.stringify(others[key])];
      if (was === is) continue;
      throw new UserError(
        `the ranks of this job do not agree: ${key} is ${was} on rank 0 and ${is} on rank ${rank}. ${remedy}`,
      );
    }
  });
}

/**
 * Checks that a step is made of as many batches as before, by whatever number of ranks: then it takes the same samples.
 *
 * @throws UserError with the value of `--accumulate` that does it
 */
export function requireSameShare(
  { settings }: Pick<RunConfig, 'settings'>,
  { accumulate, out }: { readonly accumulate: number; readonly out: string },
  size: number,
): void {
  const before = Number(settings.accumulate);
  if (!(before > 0) || accumulate * size === before) return;
  const remedy =
    before % size === 0
      ? `with ${size} rank${size > 1 ? 's' : ''} give --accumulate ${before / size}`
      : `start a number of ranks that divides ${before}`;
  throw new UserError(
    `a step of the run in ${out} is made of ${before} batches, and ${size} × ${accumulate} ` +
      `(ranks × --accumulate) are ${accumulate * size}: ${remedy}`,
  );
}

/** The content of rank 0, on all ranks; the others give none. */
export async function shareContent(
  ranks: Communicator,
  content: CheckpointContent | undefined,
): Promise<CheckpointContent> {
  if (ranks.size === 1) return content!;
  const described = await fromFirst(ranks, () => ({
    tensors: [...content!.tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    metadata: content!.metadata,
  }));
  const tensors = new Map<string, SafetensorsTensor>();
  for (const { name, dtype, shape } of described.tensors) {
    if (dtype !== 'F32')
      throw new TypeError(`tensor ${name} is ${dtype}: checkpoints of training hold F32 only`);
    const size = shape.reduce((product, extent) => product * extent, 1);
    const data = content ? (content.tensors.get(name)!.data as Float32Array) : new Float32Array(size);
    await ranks.broadcast(data);
    tensors.set(name, { dtype, shape, data });
  }
  return { tensors, metadata: described.metadata };
}

/**
 * Checks that all ranks have come to the same state, to the bit: they take the same steps with the same sums.
 *
 * @throws Error naming the ranks that have not
 */
export async function requireSameState(
  ranks: Communicator,
  { tensors, metadata }: CheckpointContent,
  completedSteps: number,
): Promise<void> {
  if (ranks.size === 1) return;
  const hash = createHash('sha256').update(JSON.stringify(metadata));
  for (const [name, { data }] of tensors) {
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  const digests = await ranks.gather(hash.digest('hex'));
  const others = digests.flatMap((digest, rank) => (digest === digests[0] ? [] : [rank]));
  if (others.length === 0) return;
  throw new Error(
    `after step ${completedSteps} the weights of rank ${others.join(', ')} are not those of rank 0. Ranks must run on ` +
      'GPUs of one kind with the same driver, which round alike; nothing of this step was written.',
  );
}

/** What ranks besides the first have in place of a run folder, a progress bar and a stop request: they write nothing. */
export function silentRun(directory: string, config: RunConfig): RunFolder {
  const nothing = () => undefined;
  return {
    directory,
    config,
    isWritten: false,
    requireHeld: nothing,
    log: { append: nothing, flush: nothing, close: nothing },
    tensorBoard: { path: '', addScalars: nothing, addImage: nothing, close: nothing },
    close: nothing,
  };
}

export const silentProgress: Progress = {
  update: () => undefined,
  note: () => undefined,
  stop: () => undefined,
};

/**
 * What the ranks of a job do together in every step: gradients are summed, losses averaged, and what one of them has
 * learnt is told to all, so that they decide alike.
 */
export class SharedSteps {
  readonly reduction: GradientReduction;
  private isStopping = false;

  constructor(
    readonly ranks: Communicator,
    store: ParameterStore,
    private readonly stop: Pick<StopRequest, 'requested'>,
    private readonly badFiles: BadFiles,
  ) {
    this.reduction = new GradientReduction(store, (values, sums) => ranks.sum(values, sums));
  }

  /** Whether any rank has been asked to stop, by the last step that was settled. */
  get requested(): boolean {
    return this.isStopping;
  }

  /** The mean of the losses over all ranks. To be called once for each step, in order. */
  async meanOf(losses: readonly number[]): Promise<number[]> {
    const { ranks, badFiles } = this;
    const reported = badFiles.takeReported();
    // Rank 0 has logged its own already, and what others have told it.
    const found: BadFile[] = ranks.rank === 0 ? [] : reported;
    const values = Float64Array.of(...losses, Number(this.stop.requested), found.length);
    await ranks.sum(values);
    const [stopping, files] = values.slice(losses.length) as unknown as [number, number];
    if (stopping > 0) this.isStopping = true;
    if (files > 0) {
      const all = await ranks.gather(found);
      if (ranks.rank === 0) all.flat().forEach(badFiles.report);
    }
    return Array.from(values.subarray(0, losses.length), (sum) => sum / ranks.size);
  }
}

/** What a step's communication took, as metrics. */
export function communicationMetrics({
  durationMs,
  waitedMs,
}: {
  durationMs: number;
  waitedMs: number;
}): Metrics {
  return { 'communication/ms': durationMs, 'communication/waited ms': waitedMs };
}
