import { cosineSchedule, scaleLearningRate } from '@tubelet/autograd';
import { formatBytes, type Runtime } from '@tubelet/kernels';
import { closeNodeRuntime } from '@tubelet/kernels/node';
import { openCommunicator, type Communicator } from '@tubelet/mpi';
import { latestCheckpoint } from '../checkpoint-folder.js';
import { OptionError } from '../errors.js';
import { createProgress, type Progress } from '../progress.js';
import {
  createRun,
  readRunConfig,
  requireNoRun,
  requireSameSettings,
  resumeRun,
  type RunConfig,
} from '../run-folder.js';
import { stopOnSignals, type StopRequest } from '../stop-signal.js';
import { BadFiles } from './bad-files.js';
import { compileAhead } from './compile-ahead.js';
import { dryTraining } from './dry-step.js';
import { countSteps, EpochReader } from './epoch-reader.js';
import { runSteps, type TrainingResult } from './loop.js';
import { openTrainingRuntime } from './precision.js';
import { describeEnvironment, otherAdapterNote, StepProfile } from './run-description.js';
import {
  fromFirst,
  requireSameEverywhere,
  requireSameShare,
  requireSameState,
  SAME_COMMAND,
  SAME_GPUS,
  shareContent,
  SharedSteps,
  silentProgress,
  silentRun,
} from './ranks.js';
import { savedSettings } from './settings.js';
import type { RunContext, Task, TaskData, TaskLoader, TrainedModel } from './task.js';
import { trainingStep } from './train-step.js';
import { Trace } from './trace.js';
import { describeTuning, useTuning } from './tuning.js';

/** What is known before there is a run folder. */
interface Plan<Batch, Model extends TrainedModel<Batch>> {
  readonly ranks: Communicator;
  readonly task: Task<Batch, Model>;
  readonly data: TaskData<Batch>;
  readonly loader: TaskLoader<Batch>;
  readonly batches: EpochReader<Batch>;
  readonly stepsPerEpoch: number;
  readonly progress: Progress;
  readonly badFiles: BadFiles;
  readonly stop: StopRequest;
  readonly trace: Trace | undefined;
}

/**
 * Trains, in a run folder, until the end or until the user asks it to stop; a run that is resumed goes on to the same
 * bytes. Everything that can be wrong with options, folders and data is looked at before the GPU is opened.
 *
 * Started with mpirun, the processes of a job train together: each on its share of every batch, with the same weights.
 * The first alone reads and writes the run folder.
 *
 * @param join gives the ranks of the job
 * @throws UserError for what the user can do something about
 * @throws MpiError where a job's ranks cannot be joined
 */
export async function trainRun<Batch, Model extends TrainedModel<Batch>>(
  task: Task<Batch, Model>,
  join: () => Promise<Communicator> = openCommunicator,
): Promise<Pick<TrainingResult, 'finished'>> {
  const { options } = task;
  const ranks = await join();
  const { rank, size } = ranks;
  if (size > 1 && options.gpu !== undefined) {
    throw new OptionError('--gpu', options.gpu, 'no --gpu: the ranks on a host take its GPUs in turn');
  }
  const saved = await fromFirst(ranks, () => {
    if (options.resume) return readRunConfig(options.out);
    requireNoRun(options.out);
    return undefined;
  });

  const progress = rank === 0 ? createProgress() : silentProgress;
  const note = (message: string) => progress.note(message);
  const badFiles = new BadFiles(progress);
  const found = await task.openData(badFiles);
  const data = { ...found, settings: { ...found.settings, accumulate: options.accumulate * size } };
  await requireSameEverywhere(ranks, data.settings, SAME_COMMAND);
  if (saved) {
    requireSameShare(saved, options, size);
    requireSameSettings(options.out, savedSettings(saved), data.settings);
  }

  const loader = await data.openLoader({ rank, ranks: size, localRanks: ranks.localSize });
  const stop = stopOnSignals(note);
  try {
    const stepsPerEpoch = countSteps(loader, options, task.moreBatches);
    const batches = new EpochReader(loader, options.accumulate);
    if (!saved) await batches.readFirst();
    const trace = options.trace === undefined || rank > 0 ? undefined : new Trace(options.trace);
    const gpu = size > 1 ? { localRank: ranks.localRank } : options.gpu;
    const runtime = await openTrainingRuntime(options, note, gpu);
    try {
      useTuning(runtime, { autotune: options.autotune, saved, note });
      const gpuFacts = { GPU: runtime.adapter.description, tuning: describeTuning(runtime) };
      await requireSameEverywhere(ranks, gpuFacts, SAME_GPUS);
      const plan = { ranks, task, data, loader, batches, stepsPerEpoch, progress, badFiles, stop, trace };
      const result = await trainOn(runtime, plan);
      // The first may still be writing.
      await ranks.barrier();
      return result;
    } finally {
      trace?.close();
      closeNodeRuntime(runtime);
    }
  } finally {
    stop.dispose();
    await loader.close();
  }
}

async function trainOn<Batch, Model extends TrainedModel<Batch>>(
  runtime: Runtime,
  plan: Plan<Batch, Model>,
): Promise<Pick<TrainingResult, 'finished'>> {
  const { task, loader, progress, badFiles } = plan;
  const { options } = task;
  const model = task.createModel(runtime);
  const { context, startStep } = await beginRun(model, plan);
  const { run } = context;
  let completedSteps = startStep;
  try {
    badFiles.logTo(run, () => completedSteps);
    for (const line of announcements(model, context, task)) progress.note(line);
    await compileAhead(runtime, dryTraining(task), options.batchSize, (message) => progress.note(message));
    const profile = new StepProfile(runtime, options.profile, startStep, plan.trace?.kernels);
    const result = await takeSteps(model, plan, context, startStep, {
      before: (begunSteps) => profile.beforeStep(begunSteps),
      onCompleted: (steps) => (completedSteps = steps),
    });
    run.log.append({ type: 'memory', step: completedSteps, peakGpuBytes: runtime.pool.peakBytes });
    const timings = await profile.text(completedSteps);
    if (timings !== undefined && run.isWritten) console.log(timings);
    const lines = await summary(result, model, plan);
    if (run.isWritten) console.log(lines);
    if (result.finished) await task.conclude?.(model, result, context);
    return result;
  } finally {
    // Batches decoded ahead may still report files to the log.
    await loader.close();
    run.close();
  }
}

/**
 * Makes the run's folder and first weights, or restores the state of its latest sound checkpoint. A run that was killed
 * before its first one begins anew. The first rank does all of it and gives the others its state.
 */
async function beginRun<Batch, Model extends TrainedModel<Batch>>(
  model: Model,
  plan: Plan<Batch, Model>,
): Promise<{ context: RunContext<Batch>; startStep: number }> {
  const { ranks, task, loader, stepsPerEpoch, progress, badFiles } = plan;
  const { out, resume } = task.options;
  const { runtime } = model.engine;
  if (ranks.rank > 0) return joinRun(model, plan);
  const found = resume ? await latestCheckpoint(out, (message) => progress.note(message)) : undefined;
  const startStep = found?.step ?? 0;
  if (found) model.restore(found.path, found.content);
  else model.initialise();
  const first = found ? undefined : await task.loadFirstWeights?.(model);
  // It begins with the weights that training begins with.
  if (!found) model.average?.initialise();
  const run = resume ? await resumeRun(out, startStep) : await createRun(out, describeRun(runtime, plan));
  const context: RunContext<Batch> = { ranks, run, loader, stepsPerEpoch, progress, badFiles };
  if (ranks.size > 1) {
    await fromFirst(ranks, () => startStep);
    await shareContent(ranks, await model.checkpoint(startStep));
  }
  if (found) {
    progress.note(`resuming after step ${startStep} from ${found.path}`);
    const note = otherAdapterNote(run.config, runtime);
    if (note !== undefined) progress.note(note);
    return { context, startStep };
  }
  if (resume) progress.note(`${out} has no checkpoint yet: beginning with the first step`);
  if (first) progress.note(first.note);
  if (first?.record) run.log.append({ type: 'starting-weights', step: 0, ...first.record });
  return { context, startStep };
}

/** The state of the first rank, for another. */
async function joinRun<Batch, Model extends TrainedModel<Batch>>(
  model: Model,
  plan: Plan<Batch, Model>,
): Promise<{ context: RunContext<Batch>; startStep: number }> {
  const { ranks, task, loader, stepsPerEpoch, progress, badFiles } = plan;
  const startStep = await fromFirst(ranks, () => 0);
  model.restore('the state of rank 0', await shareContent(ranks, undefined));
  const run = silentRun(task.options.out, describeRun(model.engine.runtime, plan));
  return { context: { ranks, run, loader, stepsPerEpoch, progress, badFiles }, startStep };
}

/** Who is told of steps. */
interface Observers {
  /** Before each, with the number of those begun before it. */
  readonly before: (begunSteps: number) => void;
  readonly onCompleted: (completedSteps: number) => void;
}

function takeSteps<Batch, Model extends TrainedModel<Batch>>(
  model: Model,
  { ranks, task, batches, stepsPerEpoch, progress, badFiles, stop, trace }: Plan<Batch, Model>,
  context: RunContext<Batch>,
  startStep: number,
  { before, onCompleted }: Observers,
): Promise<TrainingResult> {
  const { options } = task;
  const clipsPerStep = options.batchSize * options.accumulate * ranks.size;
  const shared = ranks.size > 1 ? new SharedSteps(ranks, model.store, stop, badFiles) : undefined;
  const schedule = cosineSchedule({
    peak: scaleLearningRate(options.lr, clipsPerStep),
    minimum: scaleLearningRate(options.minLr, clipsPerStep),
    epochs: options.epochs,
    stepsPerEpoch,
    warmupEpochs: options.warmupEpochs,
  });
  const takeStep = trainingStep(model, batches, options.accumulate, { shared, trace });
  return runSteps({
    run: context.run,
    totalSteps: schedule.totalSteps,
    stepsPerEpoch,
    startStep,
    stopAfter: options.stopAfter,
    clipsPerStep,
    checkpointEverySteps: saveEvery(task, stepsPerEpoch),
    retention: { keepLast: options.keep },
    progress,
    stop: shared ?? stop,
    trace,
    step: (position) => {
      before(position.step);
      return takeStep(position, schedule.at(position.step));
    },
    onCompleted,
    endOfEpoch: task.endEpoch && ((epoch) => task.endEpoch!(model, epoch, context)),
    checkpoint: async (completedSteps) => {
      const content = await model.checkpoint(completedSteps);
      await requireSameState(ranks, content, completedSteps);
      return content;
    },
  });
}

function saveEvery<Batch>(task: Task<Batch>, stepsPerEpoch: number): number {
  return task.options.saveEvery ?? task.saveEveryEpochs * stepsPerEpoch;
}

function announcements<Batch, Model extends TrainedModel<Batch>>(
  { kind, store, engine }: Model,
  context: RunContext<Batch>,
  task: Task<Batch, Model>,
): string[] {
  const { description, device } = engine.runtime.adapter;
  const millions = (store.count / 1e6).toFixed(2);
  return [
    `${kind} with ${millions} M parameters on ${description || device}`,
    ...task.announcements(context),
    `decoder: ${context.loader.decoder}`,
  ];
}

async function summary<Batch, Model extends TrainedModel<Batch>>(
  result: TrainingResult,
  model: Model,
  { task, stepsPerEpoch, badFiles }: Plan<Batch, Model>,
): Promise<string> {
  const { options } = task;
  const { scale, takenSteps, skippedSteps } = await model.lossScale.read();
  const lines = [
    `${result.finished ? 'finished' : 'stopped'} after ${result.completedSteps} of ${options.epochs * stepsPerEpoch} steps`,
    `checkpoint  ${result.checkpointPath}`,
    `report      ${result.reportPath}`,
    `peak memory ${formatBytes(model.engine.runtime.pool.peakBytes)} on the GPU`,
  ];
  if (model.lossScale.dynamic || skippedSteps > 0) {
    const why = model.lossScale.dynamic
      ? `whose gradients overflowed; the loss scale is ${scale}`
      : 'whose gradients were not finite';
    lines.push(`skipped     ${skippedSteps} of ${takenSteps + skippedSteps} steps, ${why}`);
  }
  lines.push(...(task.summary?.(model) ?? []));
  if (badFiles.count > 0) lines.push(`left out    ${badFiles.count} files; the log names them`);
  if (!result.finished) {
    const without = options.stopAfter === undefined ? '' : ' and without --stop-after';
    lines.push(`the same command with --resume${without} goes on from here`);
  }
  return lines.join('\n');
}

/** Everything needed to repeat a run. */
function describeRun<Batch, Model extends TrainedModel<Batch>>(
  runtime: Runtime,
  { ranks, task, data, loader, stepsPerEpoch }: Plan<Batch, Model>,
): RunConfig {
  const { options, program, commandLine, version } = task;
  return {
    program,
    commandLine,
    settings: {
      ...data.settings,
      ...data.description,
      clipsPerStep: options.batchSize * options.accumulate * ranks.size,
      ranks: ranks.size,
      stepsPerEpoch,
      saveEvery: saveEvery(task, stepsPerEpoch),
      keep: options.keep,
      recompute: options.recompute === true,
    },
    ...describeEnvironment(runtime, loader.ffmpeg, version),
  };
}
