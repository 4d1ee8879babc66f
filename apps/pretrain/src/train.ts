import { cosineSchedule, scaleLearningRate } from '@tubelet/autograd';
import { formatBytes, type Runtime } from '@tubelet/kernels';
import { closeNodeRuntime } from '@tubelet/kernels/node';
import type { PretrainingConfig } from '@tubelet/mae-dfer';
import {
  BadFiles,
  compileAhead,
  countSteps,
  describeEnvironment,
  EpochReader,
  lossScaleLines,
  openTrainingRuntime,
  otherAdapterNote,
  savedSettings,
  StepProfile,
  useTuning,
} from '@tubelet/programs';
import {
  createProgress,
  createRun,
  latestCheckpoint,
  readRunConfig,
  requireNoRun,
  requireSameSettings,
  resumeRun,
  runTraining,
  stopOnSignals,
  type JsonValue,
  type Progress,
  type RunConfig,
  type RunFolder,
  type StopRequest,
  type TrainingResult,
} from '@tubelet/trainer';
import type { ClipBatch, ClipLoader } from '@tubelet/video';
import { resolve } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { dryTraining } from './dry-training.js';
import { TrainingState } from './training-state.js';
import { findVideos, openLoader, videosFingerprint } from './train-data.js';
import { bindingSettings, type TrainOptions } from './train-settings.js';
import { trainingStep } from './train-step.js';

/** What the parts of a run share. */
interface Plan {
  readonly sources: readonly string[];
  readonly options: TrainOptions;
  readonly commandLine: readonly string[];
  readonly config: PretrainingConfig;
  readonly settings: Readonly<Record<string, JsonValue>>;
  readonly stepsPerEpoch: number;
  readonly progress: Progress;
  readonly badFiles: BadFiles;
  readonly stop: StopRequest;
}

/**
 * Trains a masked autoencoder on the videos of `sources`; returns when done or asked to stop. Everything that
 * can be wrong with options, folders and videos is looked at before the GPU is opened.
 */
export async function train(
  sources: readonly string[],
  options: TrainOptions,
  config: PretrainingConfig,
  commandLine: readonly string[],
): Promise<void> {
  const saved = options.resume ? readRunConfig(options.out) : undefined;
  if (!saved) requireNoRun(options.out);

  const progress = createProgress();
  const badFiles = new BadFiles(progress);
  const videos = await findVideos(sources, options, badFiles);
  const settings = bindingSettings(options, config, videosFingerprint(videos));
  if (saved) requireSameSettings(options.out, savedSettings(saved), settings);

  const loader = await openLoader(videos, options, badFiles);
  const stop = stopOnSignals((message) => progress.note(message));
  try {
    const stepsPerEpoch = countSteps(loader, options, ', or raise --clips-per-video');
    const batches = new EpochReader(loader, options.accumulate);
    if (!saved) await batches.readFirst();
    const note = (message: string) => progress.note(message);
    const runtime = await openTrainingRuntime(options, note);
    const plan = {
      sources,
      options,
      commandLine,
      config,
      settings,
      stepsPerEpoch,
      progress,
      badFiles,
      stop,
    };
    try {
      useTuning(runtime, { autotune: options.autotune, saved, note });
      await trainOn(runtime, loader, batches, plan);
    } finally {
      closeNodeRuntime(runtime);
    }
  } finally {
    stop.dispose();
    await loader.close();
  }
}

async function trainOn(
  runtime: Runtime,
  loader: ClipLoader,
  batches: EpochReader<ClipBatch>,
  plan: Plan,
): Promise<void> {
  const { options, config, badFiles } = plan;
  const training = new TrainingState(runtime, config, options);
  const { run, startStep } = options.resume
    ? await resume(training, plan)
    : { run: await createRun(options.out, describeRun(runtime, loader, plan)), startStep: 0 };
  let completedSteps = startStep;
  try {
    badFiles.logTo(run, () => completedSteps);
    if (startStep === 0) training.initialise(options.seed);
    announce(training, loader, plan);
    const begin = dryTraining(options, config);
    await compileAhead(runtime, begin, options.batchSize, (message) => plan.progress.note(message));
    const profile = new StepProfile(runtime, options.profile === true, startStep);
    const onCompleted = (steps: number) => {
      completedSteps = steps;
      profile.onCompleted(steps);
    };
    const result = await runSteps(run, training, batches, plan, startStep, onCompleted);
    run.log.append({ type: 'memory', step: completedSteps, peakGpuBytes: runtime.pool.peakBytes });
    const timings = await profile.text(completedSteps);
    if (timings !== undefined) console.log(timings);
    console.log(summary(result, runtime, plan, await lossScaleLines(training.lossScale)));
  } finally {
    // Batches decoded ahead may still report files to the log.
    await loader.close();
    run.close();
  }
}

/** Restores the state of the latest sound checkpoint. A run that was killed before its first one begins anew. */
async function resume(
  training: TrainingState,
  { options, progress }: Plan,
): Promise<{ run: RunFolder; startStep: number }> {
  const found = await latestCheckpoint(options.out, (message) => progress.note(message));
  if (found) training.restore(found.path, found.content);
  const startStep = found?.step ?? 0;
  const run = await resumeRun(options.out, startStep);
  progress.note(
    found
      ? `resuming after step ${startStep} from ${found.path}`
      : `${options.out} has no checkpoint yet: beginning with the first step`,
  );
  const note = otherAdapterNote(run.config, training.runtime);
  if (note !== undefined) progress.note(note);
  return { run, startStep };
}

function runSteps(
  run: RunFolder,
  training: TrainingState,
  batches: EpochReader<ClipBatch>,
  { options, stepsPerEpoch, progress, stop }: Plan,
  startStep: number,
  onCompleted: (steps: number) => void,
): Promise<TrainingResult> {
  const clipsPerStep = options.batchSize * options.accumulate;
  const schedule = cosineSchedule({
    peak: scaleLearningRate(options.lr, clipsPerStep),
    minimum: scaleLearningRate(options.minLr, clipsPerStep),
    epochs: options.epochs,
    stepsPerEpoch,
    warmupEpochs: options.warmupEpochs,
  });
  const lastStep = options.stopAfter ?? schedule.totalSteps;
  const takeStep = trainingStep(training, batches, options);
  let reached = startStep;
  return runTraining({
    run,
    totalSteps: schedule.totalSteps,
    stepsPerEpoch,
    startStep,
    clipsPerStep,
    checkpointEverySteps: options.saveEvery ?? 10 * stepsPerEpoch,
    retention: { keepLast: options.keep },
    progress,
    stop: {
      get requested() {
        return stop.requested || reached >= lastStep;
      },
    },
    step: async (position) => {
      const metrics = await takeStep(position, schedule.at(position.step));
      reached = position.step + 1;
      onCompleted(reached);
      return metrics;
    },
    checkpoint: (completedSteps) => training.checkpoint(completedSteps),
  });
}

function announce(
  { model, runtime }: TrainingState,
  loader: ClipLoader,
  { stepsPerEpoch, progress }: Plan,
): void {
  const { adapter } = runtime;
  progress.note(
    `${model.config.encoder.kind} with ${(model.store.count / 1e6).toFixed(2)} M parameters on ` +
      `${adapter.description || adapter.device}; samples: ${loader.sampleCount}, steps an epoch: ${stepsPerEpoch}`,
  );
  progress.note(`decoder: ${loader.decoder}`);
}

function summary(
  result: TrainingResult,
  runtime: Runtime,
  { options, stepsPerEpoch, badFiles }: Plan,
  more: readonly string[],
): string {
  const totalSteps = options.epochs * stepsPerEpoch;
  const lines = [
    `${result.finished ? 'finished' : 'stopped'} after ${result.completedSteps} of ${totalSteps} steps`,
    `checkpoint  ${result.checkpointPath}`,
    `report      ${result.reportPath}`,
    `peak memory ${formatBytes(runtime.pool.peakBytes)} on the GPU`,
    ...more,
  ];
  if (badFiles.count > 0) lines.push(`left out    ${badFiles.count} files; the log names them`);
  if (!result.finished) {
    const without = options.stopAfter === undefined ? '' : ' and without --stop-after';
    lines.push(`the same command with --resume${without} goes on from here`);
  }
  return lines.join('\n');
}

function describeRun(runtime: Runtime, loader: ClipLoader, plan: Plan): RunConfig {
  const { sources, options, commandLine, settings, stepsPerEpoch } = plan;
  return {
    program: 'pretrain train',
    commandLine,
    settings: {
      ...settings,
      sources: sources.map((source) => resolve(source)),
      clipsPerStep: options.batchSize * options.accumulate,
      stepsPerEpoch,
      saveEvery: options.saveEvery ?? 10 * stepsPerEpoch,
      keep: options.keep,
      recompute: options.recompute === true,
    },
    ...describeEnvironment(runtime, loader.ffmpeg, manifest.version),
  };
}
