import { closeNodeRuntime } from '@tubelet/kernels/node';
import { DeviceLostError, OutOfMemoryError, type Runtime } from '@tubelet/kernels';
import { openCommunicator, type Communicator } from '@tubelet/mpi';
import { OptionError } from '../errors.js';
import type { TrainingOptions } from '../options/training-options.js';
import { createProgress } from '../program/progress.js';
import {
  hasBegun,
  readRunConfig,
  requireNoRun,
  requireSameSettings,
  type RunConfig,
  type RunFolder,
} from '../run/run-folder.js';
import { RunLock } from '../run/run-lock.js';
import { stopOnSignals, type StopRequest } from '../program/stop-signal.js';
import { BadFiles } from './bad-files.js';
import { beginRun } from './begin-run.js';
import { compileAhead } from './compile-ahead.js';
import { DeviceLosses } from './device-loss.js';
import { countSteps, EpochReader } from './epoch-reader.js';
import { noteFailure, type TrainingResult } from './loop.js';
import type { Plan } from './plan.js';
import { openTrainingRuntime } from './precision.js';
import {
  fromFirst,
  requireSameEverywhere,
  requireSameShare,
  SAME_COMMAND,
  SAME_GPUS,
  silentProgress,
} from './ranks.js';
import { refusedMemory, stepsOnPaper } from './room.js';
import { StepProfile } from './run-description.js';
import { announcements, summary } from './run-text.js';
import { savedSettings } from './settings.js';
import { takeSteps } from './take-steps.js';
import type { ClipOrigins, Task, TrainedModel } from './task.js';
import { nextTracePath, Trace } from './trace.js';
import { describeTuning, useTuning } from './tuning.js';

/**
 * Trains, in a run folder, until the end or until the user asks it to stop; a run that is resumed goes on to the same
 * bytes. Everything that can be wrong with options, folders and data is looked at before the GPU is opened.
 *
 * Started with mpirun, the processes of a job train together: each on its share of every batch, with the same weights.
 * The first alone reads and writes the run folder, which it locks.
 *
 * @param join gives the ranks of the job
 * @throws UserError for what the user can do something about
 * @throws MpiError where a job's ranks cannot be joined
 */
export async function trainRun<Batch extends ClipOrigins, Model extends TrainedModel<Batch>>(
  task: Task<Batch, Model>,
  join: () => Promise<Communicator> = openCommunicator,
): Promise<Pick<TrainingResult, 'finished'>> {
  const { options } = task;
  const ranks = await join();
  if (ranks.size > 1 && options.gpu !== undefined) {
    throw new OptionError('--gpu', options.gpu, 'no --gpu: the ranks on a host take its GPUs in turn');
  }
  const progress = ranks.rank === 0 ? createProgress() : silentProgress;
  const note = (message: string) => progress.note(message);
  const lock = new RunLock(options.out, note);
  const losses = new DeviceLosses(options.out, options.reopenGpu);
  let stop: StopRequest | undefined;
  const listen = () => (stop ??= stopOnSignals(note));
  let lost: DeviceLostError | undefined;
  try {
    for (;;) {
      try {
        return await trainOnce({ task, ranks, progress, lock, listen, lost });
      } catch (error) {
        // A rank cannot begin again without the others: their launcher begins all anew.
        if (!(error instanceof DeviceLostError) || ranks.size > 1) throw error;
        await losses.count(error);
        note(`${error.message} Opening it again`);
        lost = error;
      }
    }
  } finally {
    stop?.dispose();
    lock.release();
  }
}

/** What a run has from its first moment on, however often its GPU is opened. */
interface Attempt<Batch extends ClipOrigins, Model extends TrainedModel<Batch>> extends Pick<
  Plan<Batch, Model>,
  'task' | 'ranks' | 'progress' | 'lock'
> {
  /** Waits for stop signals from now on, if it does not yet. */
  readonly listen: () => StopRequest;
  /** Why this is not the first. */
  readonly lost: DeviceLostError | undefined;
}

async function trainOnce<Batch extends ClipOrigins, Model extends TrainedModel<Batch>>({
  task,
  ranks,
  progress,
  lock,
  listen,
  lost,
}: Attempt<Batch, Model>): Promise<Pick<TrainingResult, 'finished'>> {
  const { options } = task;
  const { rank, size } = ranks;
  const note = (message: string) => progress.note(message);
  const resume = lost ? 'auto' : options.resume;
  const saved = await fromFirst(ranks, () => runToResume({ out: options.out, resume }, lock));
  const badFiles = new BadFiles(progress);
  const found = await task.openData(badFiles);
  const data = { ...found, settings: { ...found.settings, accumulate: options.accumulate * size } };
  await requireSameEverywhere(ranks, data.settings, SAME_COMMAND);
  if (saved) {
    requireSameShare(saved, options, size);
    requireSameSettings(options.out, savedSettings(saved), data.settings);
  }

  const loader = await data.openLoader({ rank, ranks: size, localRanks: ranks.localSize });
  const stop = listen();
  try {
    const stepsPerEpoch = countSteps(loader, options, task.moreBatches);
    const batches = new EpochReader(loader, options.accumulate);
    if (!saved) await batches.readFirst();
    const trace = options.trace === undefined || rank > 0 ? undefined : openTrace(options.trace, saved, note);
    const gpu = size > 1 ? { localRank: ranks.localRank } : options.gpu;
    const runtime = await openTrainingRuntime(options, note, gpu);
    try {
      useTuning(runtime, { autotune: options.autotune, saved, note });
      const gpuFacts = { GPU: runtime.adapter.description, tuning: describeTuning(runtime) };
      await requireSameEverywhere(ranks, gpuFacts, SAME_GPUS);
      const watched = { progress, badFiles, stop, trace, lost };
      const saveEvery = options.saveEvery ?? task.saveEveryEpochs * stepsPerEpoch;
      const plan = { ranks, task, data, loader, batches, stepsPerEpoch, saveEvery, ...watched, lock, saved };
      const result = await trainOn(runtime, plan);
      // The first may still be writing.
      await ranks.barrier();
      return result;
    } finally {
      trace?.close();
      closeNodeRuntime(runtime);
    }
  } finally {
    await loader.close();
  }
}

/** A run that goes on leaves the trace of what was before as it is. */
function openTrace(given: string, saved: RunConfig | undefined, note: (message: string) => void): Trace {
  const path = saved ? nextTracePath(given) : given;
  if (path !== given) note(`${given} is there: the trace of what follows is in ${path}`);
  return new Trace(path);
}

/** The run to go on with, locked; undefined where a new one is to begin. */
async function runToResume(
  { out, resume }: Pick<TrainingOptions, 'out' | 'resume'>,
  lock: RunLock,
): Promise<RunConfig | undefined> {
  if (resume === false || (resume === 'auto' && !hasBegun(out))) {
    requireNoRun(out);
    return undefined;
  }
  const config = readRunConfig(out);
  await lock.take();
  return config;
}

// A step that is recorded and replayed has got all its memory by the third.
const FIRST_STEPS = 3;

async function trainOn<Batch extends ClipOrigins, Model extends TrainedModel<Batch>>(
  runtime: Runtime,
  plan: Plan<Batch, Model>,
): Promise<Pick<TrainingResult, 'finished'>> {
  const { task } = plan;
  const paper = await stepsOnPaper(runtime, task);
  let takenSteps = 0;
  try {
    return await trainModel(task.createModel(runtime), plan, paper, () => (takenSteps += 1));
  } catch (error) {
    if (!(error instanceof OutOfMemoryError) || takenSteps >= FIRST_STEPS) throw error;
    throw await refusedMemory(runtime, task, error);
  }
}

async function trainModel<Batch extends ClipOrigins, Model extends TrainedModel<Batch>>(
  model: Model,
  plan: Plan<Batch, Model>,
  paper: Runtime,
  onStep: () => void,
): Promise<Pick<TrainingResult, 'finished'>> {
  const { task, loader, progress, badFiles, lost } = plan;
  const { runtime } = model.engine;
  const { context, startStep } = await beginRun(model, plan);
  const { run } = context;
  let completedSteps = startStep;
  try {
    badFiles.logTo(run, () => completedSteps);
    if (lost) run.log.append({ type: 'device-lost', step: startStep, message: lost.message });
    for (const line of announcements(model, context, task)) progress.note(line);
    await compileAhead(runtime, paper, (message) => progress.note(message));
    const profile = new StepProfile(runtime, task.options.profile, startStep, plan.trace?.kernels);
    const result = await takeSteps(model, plan, context, startStep, {
      before: (begunSteps) => profile.beforeStep(begunSteps),
      onCompleted(steps) {
        completedSteps = steps;
        onStep();
      },
    });
    run.log.append({ type: 'memory', step: completedSteps, peakGpuBytes: runtime.pool.peakBytes });
    const timings = await profile.text(completedSteps);
    if (timings !== undefined && run.isWritten) console.log(timings);
    const lines = await summary(result, model, plan);
    if (run.isWritten) console.log(lines);
    if (result.finished && task.conclude) await conclude(task.conclude(model, result, context), run, result);
    return result;
  } finally {
    // Batches decoded ahead may still report files to the log.
    await loader.close();
    run.close();
  }
}

/** Logs the end of a run when what a task does after the last step is done, and a failure where it cannot be. */
async function conclude(
  work: Promise<void>,
  run: RunFolder,
  { completedSteps }: TrainingResult,
): Promise<void> {
  const log = (type: string, fields: object): void =>
    run.log.append({ type, step: completedSteps, time: new Date().toISOString(), ...fields });
  try {
    await work;
  } catch (error) {
    noteFailure(log, error);
    throw error;
  }
  log('end', {});
}
