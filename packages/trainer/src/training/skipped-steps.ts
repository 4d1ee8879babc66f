import { join, relative } from 'node:path';
import type { Communicator } from '@tubelet/mpi';
import { writeTextFile } from '../formats/file-write.js';
import type { JsonValue, RunFolder } from '../run/run-folder.js';
import type { StepPosition } from './loop.js';
import type { ClipOrigins } from './task.js';

/** A step that changed nothing, since a value of it was not finite. */
export interface SkippedStep {
  readonly position: StepPosition;
  readonly learningRate: number;
  /** By name; the mean over all ranks. */
  readonly losses: Readonly<Record<string, number>>;
  /** Under which its gradients were made. */
  readonly lossScale: number;
  /** Of this rank, in order. */
  readonly batches: readonly ClipOrigins[];
}

/** Who writes down skipped steps. */
export interface SkippedRecord<Batch> {
  /** What of a batch is kept until its step is settled. */
  originsOf(batch: Batch): ClipOrigins;
  record(step: SkippedStep): Promise<void>;
}

/** The folder of a run in which it says what skipped steps were made of. */
const FOLDER = 'skipped';

/** What a file says of the clips of one rank. */
function clipsOf(rank: number, batches: readonly ClipOrigins[]): JsonValue[] {
  return batches.flatMap(({ names, sampleIndices, frameIndices }, batch) =>
    names.map((name, i) => ({ rank, batch, sample: sampleIndices[i]!, name, frames: frameIndices[i]! })),
  );
}

/**
 * Writes down what each skipped step was made of, so that it can be taken again: a file of its own in the run folder,
 * which the log names. With the seed, the epoch and the samples everything random is known, and the weights are those
 * of the last checkpoint but for the steps since.
 */
export class SkippedSteps implements SkippedRecord<ClipOrigins> {
  constructor(
    private readonly ranks: Communicator,
    private readonly run: RunFolder,
    private readonly seed: number,
    private readonly note: (message: string) => void,
  ) {}

  originsOf({ names, sampleIndices, frameIndices }: ClipOrigins): ClipOrigins {
    return { names, sampleIndices, frameIndices };
  }

  /**
   * To be called on all ranks, in the order of the steps.
   *
   * @throws FileWriteError when the file cannot be written; RunTakenError when the run has become another program's
   */
  async record({ position, learningRate, losses, lossScale, batches }: SkippedStep): Promise<void> {
    const { ranks, run, seed } = this;
    const clips = (await ranks.gather(clipsOf(ranks.rank, batches))).flat();
    if (!run.isWritten) return;
    run.requireHeld();
    const step = position.step + 1;
    const path = join(run.directory, FOLDER, `step-${String(step).padStart(8, '0')}.json`);
    const texts = Object.entries(losses).map(([name, value]) => [
      name,
      Number.isFinite(value) ? value : String(value),
    ]);
    const { epoch, stepInEpoch } = position;
    const content = {
      ...{ step, epoch, stepInEpoch, seed, learningRate, lossScale },
      losses: Object.fromEntries(texts) as Record<string, number | string>,
      clips,
    };
    await writeTextFile(path, `${JSON.stringify(content, null, 1)}\n`);
    const file = relative(run.directory, path);
    run.log.append({ type: 'skipped-step', step, losses: content.losses, file });
    this.note(`step ${step} was skipped, its loss ${losses.loss}: ${path} names its clips`);
  }
}
