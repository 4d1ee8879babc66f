import type { CheckpointContent } from '../formats/checkpoint.js';
import { checkpointPath, type Retention } from '../formats/checkpoint-folder.js';
import { CheckpointWriter } from '../run/checkpoint-writer.js';
import { errorMessage } from '../errors.js';
import type { WriteFileSystem } from '../formats/file-write.js';
import { RateMeter, type Metrics } from '../program/meters.js';
import type { Progress } from '../program/progress.js';
import { writeReport } from '../report/report.js';
import type { RunFolder } from '../run/run-folder.js';
import type { StopRequest } from '../program/stop-signal.js';
import { nowMs as traceNowMs, type Trace } from './trace.js';

/** Where a run stands before a step; everything is counted from 0. */
export interface StepPosition {
  /** Optimiser steps completed before this one. */
  readonly step: number;
  readonly epoch: number;
  readonly stepInEpoch: number;
}

/** A step that the GPU has been given. */
export interface PendingStep {
  readonly position: StepPosition;
  /** How long its beginning waited for batches. */
  readonly dataWaitMs: number;
  /** How long its beginning waited for the GPU, which still had others to do. */
  readonly gpuWaitMs: number;
  /** Waits for its end, and gives its metrics; to be called once, in the order of the steps. */
  settle(): Promise<Metrics>;
}

export interface LoopOptions {
  readonly run: RunFolder;
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
  /** Steps that a checkpoint has already brought; 0 for a new run. */
  readonly startStep: number;
  /** Clips in an optimiser step, over accumulation and ranks: the unit of the speed. */
  readonly clipsPerStep: number;
  /** Ends the run, with a checkpoint, after so many steps. */
  readonly stopAfter?: number | undefined;
  /**
   * Begins one optimiser step. It is settled when the next has begun, or when the state after it is needed. The metrics
   * go to the log, to TensorBoard and to the progress bar as they are.
   */
  readonly step: (position: StepPosition) => Promise<PendingStep>;
  /** Whether something follows the last step, at the end of which the caller logs that of the run. */
  readonly hasSequel?: boolean;
  /** Whether other ranks take the steps too: then a step is settled by all of them or by none. */
  readonly isShared?: boolean;
  /** Is told of every step that was settled. */
  readonly onCompleted?: (completedSteps: number) => void;
  /**
   * What follows the last step of an epoch, such as validation, before any checkpoint of that step. Its metrics go to
   * the log as a record of type `validation`, to TensorBoard and to the report; without metrics there is no record.
   */
  readonly endOfEpoch?: (epoch: number, completedSteps: number) => Promise<Metrics | undefined>;
  /**
   * The state after `completedSteps`, which no later step changes: it is written while they are taken. Equal states
   * must give equal content.
   */
  readonly checkpoint: (completedSteps: number) => Promise<CheckpointContent>;
  readonly checkpointEverySteps: number;
  readonly retention: Retention;
  /** Where checkpoints are written; default: Node's. */
  readonly fileSystem?: WriteFileSystem | undefined;
  readonly progress: Progress;
  readonly stop: Pick<StopRequest, 'requested'>;
  /** Is told when steps and what follows them took place. */
  readonly trace?: Trace | undefined;
  readonly nowMs?: () => number;
}

/** How a training ended. */
export interface TrainingResult {
  readonly completedSteps: number;
  /** False when the user stopped the run before its end. */
  readonly finished: boolean;
  /** The checkpoint of the last step. */
  readonly checkpointPath: string;
  readonly reportPath: string;
}

/** The epoch of a step, which is counted from 0 over all epochs, and its place in it. */
export function positionOfStep(step: number, stepsPerEpoch: number): StepPosition {
  const epoch = Math.floor(step / stepsPerEpoch);
  return { step, epoch, stepInEpoch: step - epoch * stepsPerEpoch };
}

function wholeNumber(name: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} is ${value}; it must be a whole number from ${least} to ${most}`);
  }
}

/** JSON has no NaN and no infinities: they are written as text, so that a log shows where they came up. */
function loggable(metrics: Metrics): Record<string, number | string> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name, Number.isFinite(value) ? value : String(value)]),
  );
}

/**
 * Runs the steps `startStep … totalSteps - 1` with log, progress and checkpoints: one every
 * `checkpointEverySteps`, those that `retention` keeps for good, and one at the end or when the user stops the run.
 * They are written beside the next steps. The report is written last.
 *
 * @throws what `step` and `checkpoint` throw, after noting it in the log
 * @throws CheckpointWriteError when a checkpoint cannot be written
 * @throws FileWriteError when the log cannot be written
 */
export async function runSteps(options: LoopOptions): Promise<TrainingResult> {
  const { run, totalSteps, stepsPerEpoch, startStep, clipsPerStep, checkpointEverySteps, progress } = options;
  const nowMs = options.nowMs ?? traceNowMs;
  wholeNumber('totalSteps', totalSteps, 1);
  wholeNumber('stepsPerEpoch', stepsPerEpoch, 1);
  wholeNumber('startStep', startStep, 0, totalSteps);
  wholeNumber('clipsPerStep', clipsPerStep, 1);
  wholeNumber('checkpointEverySteps', checkpointEverySteps, 1);

  const { keepEverySteps = 0 } = options.retention;
  const isKept = (steps: number) => keepEverySteps > 0 && steps % keepEverySteps === 0;
  const lastStep = Math.min(totalSteps, options.stopAfter ?? totalSteps);
  let begunSteps = startStep;
  let completedSteps = startStep;
  let pending: PendingStep | undefined;
  // A run that begins at step 0 has no checkpoint of it; a resumed one has just read its own.
  let savedSteps = startStep > 0 ? startStep : -1;
  const log = (type: string, fields: object): void =>
    run.log.append({ type, step: completedSteps, time: new Date(nowMs()).toISOString(), ...fields });

  const writer = new CheckpointWriter({
    run,
    retention: options.retention,
    nowMs,
    fileSystem: options.fileSystem,
    onWritten: (beganMs, endedMs) => options.trace?.span('writing', 'checkpoint', beganMs, endedMs),
  });
  const save = async (): Promise<void> => {
    const beganMs = nowMs();
    const content = await options.checkpoint(completedSteps);
    const endedMs = nowMs();
    options.trace?.span('steps', 'copy of the state', beganMs, endedMs);
    savedSteps = completedSteps;
    if (run.isWritten) await writer.begin(completedSteps, content, endedMs - beganMs);
  };

  const rate = new RateMeter(nowMs());
  let settledMs = nowMs();
  /** Waits for the step that the GPU was given last, and tells of it. */
  const settle = async (): Promise<void> => {
    if (!pending) return;
    const { position, dataWaitMs, settle: settleStep } = pending;
    const beganMs = nowMs();
    let { gpuWaitMs } = pending;
    pending = undefined;
    const metrics = await settleStep();
    const endedMs = nowMs();
    gpuWaitMs += endedMs - beganMs;
    completedSteps += 1;
    rate.add(clipsPerStep, endedMs);
    const clipsPerSecond = rate.perSecond;
    // From the end of the step before it: the two overlap.
    const durationMs = Math.round(endedMs - settledMs);
    options.trace?.span('steps', `step ${completedSteps}`, settledMs, endedMs, loggable(metrics));
    options.trace?.span('waiting for the GPU', `step ${completedSteps}`, beganMs, endedMs);
    settledMs = endedMs;
    const waits = { dataWaitMs: Math.round(dataWaitMs), gpuWaitMs: Math.round(gpuWaitMs) };
    log('step', {
      ...{ epoch: position.epoch, durationMs, ...waits, clipsPerSecond },
      metrics: loggable(metrics),
    });
    run.tensorBoard.addScalars(completedSteps, {
      ...metrics,
      'speed/clips per second': clipsPerSecond,
      'speed/ms waited for data': waits.dataWaitMs,
      'speed/ms waited for the GPU': waits.gpuWaitMs,
    });
    const remainingMs = (1000 * clipsPerStep * (totalSteps - completedSteps)) / clipsPerSecond;
    progress.update({
      completedSteps,
      totalSteps,
      epoch: position.epoch,
      metrics,
      clipsPerSecond,
      ...waits,
      remainingMs,
    });
    options.onCompleted?.(completedSteps);
  };

  const endEpoch = async (): Promise<void> => {
    const epoch = completedSteps / stepsPerEpoch - 1;
    const beganMs = nowMs();
    const metrics = await options.endOfEpoch?.(epoch, completedSteps);
    if (!metrics) return;
    const durationMs = Math.round(nowMs() - beganMs);
    options.trace?.span('steps', 'validation', beganMs, nowMs());
    log('validation', { epoch, durationMs, metrics: loggable(metrics) });
    run.tensorBoard.addScalars(completedSteps, metrics);
  };

  log(startStep > 0 ? 'resume' : 'start', { totalSteps, stepsPerEpoch, clipsPerStep });
  try {
    while (begunSteps < lastStep && !options.stop.requested) {
      writer.throwIfFailed();
      const begun = await options.step(positionOfStep(begunSteps, stepsPerEpoch));
      begunSteps += 1;
      await settle();
      pending = begun;
      const isEpochEnd = begunSteps % stepsPerEpoch === 0 && options.endOfEpoch !== undefined;
      const isSaved = begunSteps % checkpointEverySteps === 0 || isKept(begunSteps);
      if (!isEpochEnd && !isSaved) continue;
      // What follows needs the state after this step, and nothing of the next.
      await settle();
      if (isEpochEnd) await endEpoch();
      if (isSaved) await save();
      const goesOnMs = nowMs();
      rate.pause(goesOnMs - settledMs);
      settledMs = goesOnMs;
    }
    await settle();
    if (savedSteps !== completedSteps) await save();
    await writer.finish();
    const finished = completedSteps === totalSteps;
    if (!finished) log('stop', {});
    else if (!options.hasSequel) log('end', {});
    progress.stop();
    return {
      completedSteps,
      finished,
      checkpointPath: checkpointPath(run.directory, completedSteps),
      reportPath: run.isWritten ? await writeReport(run.directory, run.config) : '',
    };
  } catch (error) {
    // The step before the one that failed may have gone well. Its own failure would be a consequence. Other ranks do not
    // settle it now, and would not be met.
    if (!options.isShared) await settle().catch(() => undefined);
    // A checkpoint under way is of a state from before.
    await writer.finish().catch(() => undefined);
    progress.stop();
    noteFailure(log, error);
    throw error;
  }
}

/**
 * A disk that is full for the checkpoint may be full for the log too, and the log of a run that was taken over is
 * another's; the first failure is the one to tell.
 */
export function noteFailure(log: (type: string, fields: object) => void, error: unknown): void {
  try {
    log('error', { message: errorMessage(error) });
  } catch {
    // `error` is on its way to the user.
  }
}
