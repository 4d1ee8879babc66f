import { cosineSchedule, scaleLearningRate } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import { closeNodeRuntime } from '@tubelet/kernels/node';
import {
  BadFiles,
  compileAhead,
  countSteps,
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
  OptionError,
  readRunConfig,
  requireNoRun,
  requireSameSettings,
  resumeRun,
  runTraining,
  stopOnSignals,
  UserError,
  type Evaluation,
  type RunFolder,
  type TrainingResult,
} from '@tubelet/trainer';
import { LabelledClipLoader, type LabelledClipBatch } from '@tubelet/video';
import { resolveCheckpoint } from './checkpoint-place.js';
import { videosOfFold, type RunVideos } from './data-source.js';
import { dryTraining } from './dry-training.js';
import { foldSettings } from './fold-settings.js';
import { formatWeightsReport, loadStartingWeights } from './starting-weights.js';
import { completeRunReport, reportTest } from './test-report.js';
import { testRun } from './test-run.js';
import { mixOf, transformOf } from './train-options.js';
import type { Plan, TrainRequest } from './train-plan.js';
import { trainingStep } from './train-step.js';
import { announce, describeRun, summary } from './train-texts.js';
import { ClassifierTraining } from './training-state.js';
import { evaluatePart, isValidated, validate } from './validation.js';

/**
 * Fine-tunes a classifier on one fold and tests it; everything that can be wrong with options and files is looked at
 * before the GPU is opened.
 *
 * @returns the test's result; undefined when the user stopped the run, or there is no test part
 */
export async function train(request: TrainRequest): Promise<{ finished: boolean; test?: Evaluation }> {
  const { dataset, fold, options } = request;
  const saved = options.resume ? readRunConfig(options.out) : undefined;
  if (!saved) requireNoRun(options.out);
  const videos = videosOfFold(dataset, fold, options);
  const settings = foldSettings(request, videos);
  if (saved) requireSameSettings(options.out, savedSettings(saved), settings);

  const progress = createProgress();
  const badFiles = new BadFiles(progress);
  const loader = await openLoader(videos, request, badFiles);
  const stop = stopOnSignals((message) => progress.note(message));
  try {
    const stepsPerEpoch = countSteps(loader, options);
    const batches = new EpochReader(loader, options.accumulate);
    if (!saved) await batches.readFirst();
    const note = (message: string) => progress.note(message);
    const runtime = await openTrainingRuntime(options, note);
    const plan = { ...request, videos, settings, stepsPerEpoch, progress, badFiles, stop };
    try {
      useTuning(runtime, { autotune: options.autotune, saved, note });
      return await trainOn(runtime, loader, batches, plan);
    } finally {
      closeNodeRuntime(runtime);
    }
  } finally {
    stop.dispose();
    await loader.close();
  }
}

async function openLoader(
  { train: videos }: RunVideos,
  { options, config }: TrainRequest,
  badFiles: BadFiles,
): Promise<LabelledClipLoader> {
  if (options.batchSize > videos.length) {
    throw new OptionError(
      '--batch-size',
      options.batchSize,
      `at most the ${videos.length} videos to train on`,
    );
  }
  try {
    return await LabelledClipLoader.open({
      videos,
      classes: config.classes,
      batchSize: options.batchSize,
      seed: options.seed,
      size: config.encoder.imageSize,
      frames: config.encoder.frames,
      step: options.frameStep,
      crop: options.crop,
      transform: transformOf(options),
      mix: mixOf(options),
      labelSmoothing: options.labelSmoothing,
      workers: options.workers,
      onBadFile: badFiles.report,
    });
  } catch (error) {
    // Options that do not fit the data set.
    throw error instanceof RangeError ? new UserError(error.message, { cause: error }) : error;
  }
}

async function trainOn(
  runtime: Runtime,
  loader: LabelledClipLoader,
  batches: EpochReader<LabelledClipBatch>,
  plan: Plan,
): Promise<{ finished: boolean; test?: Evaluation }> {
  const { options, config, dataset, fold, badFiles, progress, videos } = plan;
  const training = new ClassifierTraining(
    runtime,
    {
      model: config,
      classNames: dataset.classes,
      clips: { frameStep: options.frameStep, crop: options.crop },
      data: { name: dataset.name, fold },
    },
    options,
  );
  const { run, startStep } = await begin(training, loader, plan);
  let completedSteps = startStep;
  try {
    badFiles.logTo(run, () => completedSteps);
    announce(training, loader, plan);
    await compileAhead(runtime, dryTraining(options, config), options.batchSize, (message) =>
      progress.note(message),
    );
    const profile = new StepProfile(runtime, options.profile === true, startStep);
    const result = await runSteps(run, training, batches, plan, startStep, (steps) => {
      completedSteps = steps;
      profile.onCompleted(steps);
    });
    run.log.append({ type: 'memory', step: completedSteps, peakGpuBytes: runtime.pool.peakBytes });
    const timings = await profile.text(completedSteps);
    if (timings !== undefined) console.log(timings);
    console.log(summary(result, training, plan, await lossScaleLines(training.lossScale)));
    if (!result.finished) return { finished: false };
    if (videos.test.length === 0) {
      progress.note(`${dataset.root} has no test part: nothing is tested`);
      await completeRunReport(run, dataset, videos);
      return { finished: true };
    }
    const test = await testRun(training, result.checkpointPath, plan, () =>
      evaluatePart('test', training, plan),
    );
    run.log.append({ type: 'test', step: completedSteps, uar: test.metrics.uar, war: test.metrics.war });
    run.log.flush();
    await completeRunReport(run, dataset, videos, test);
    await reportTest(test, dataset, videos, options);
    return { finished: true, test };
  } finally {
    // Batches decoded ahead may still report files to the log.
    await loader.close();
    run.close();
  }
}

/** Makes the run's folder and first weights, or restores the state of its latest sound checkpoint. */
async function begin(
  training: ClassifierTraining,
  loader: LabelledClipLoader,
  plan: Plan,
): Promise<{ run: RunFolder; startStep: number }> {
  const { options, progress } = plan;
  const found = options.resume
    ? await latestCheckpoint(options.out, (message) => progress.note(message))
    : undefined;
  if (found) {
    training.restore(found.path, found.content);
    const run = await resumeRun(options.out, found.step);
    progress.note(`resuming after step ${found.step} from ${found.path}`);
    const note = otherAdapterNote(run.config, training.runtime);
    if (note !== undefined) progress.note(note);
    return { run, startStep: found.step };
  }
  training.initialise();
  const from = options.from === undefined ? undefined : await resolveCheckpoint(options.from);
  const weights =
    from === undefined
      ? undefined
      : await loadStartingWeights(from, training.classifier, {
          otherHead: options.otherHead === 'renew' ? 'leave-out' : 'refuse',
          classNames: plan.dataset.classes,
        });
  training.startAverage();
  if (options.resume) progress.note(`${options.out} has no checkpoint yet: beginning with the first step`);
  const run = options.resume
    ? await resumeRun(options.out, 0)
    : await createRun(options.out, describeRun(training.runtime, loader, plan));
  if (weights) {
    progress.note(formatWeightsReport(weights));
    run.log.append({ type: 'starting-weights', step: 0, ...weights });
  } else progress.note('no --from: training begins with random weights');
  return { run, startStep: 0 };
}

function runSteps(
  run: RunFolder,
  training: ClassifierTraining,
  batches: EpochReader<LabelledClipBatch>,
  plan: Plan,
  startStep: number,
  onCompleted: (steps: number) => void,
): Promise<TrainingResult> {
  const { options, stepsPerEpoch, progress, stop } = plan;
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
    checkpointEverySteps: options.saveEvery ?? stepsPerEpoch,
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
    endOfEpoch: async (epoch) => (isValidated(epoch, plan) ? validate(training, epoch, plan) : undefined),
    checkpoint: (completedSteps) => training.checkpoint(completedSteps),
  });
}
