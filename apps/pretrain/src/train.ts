import { cosineSchedule, scaleLearningRate } from '@tubelet/autograd';
import { formatBytes, formatProfile, type Runtime } from '@tubelet/kernels';
import { gpuBindingsVersion } from '@tubelet/kernels/node';
import { drawMask } from '@tubelet/mae-dfer';
import {
  averageMicroBatches,
  createProgress,
  createRun,
  latestCheckpoint,
  readRunConfig,
  requireSameSettings,
  resumeRun,
  runTraining,
  stopOnSignals,
  UserError,
  type Metrics,
  type RunConfig,
  type RunFolder,
  type StepPosition,
} from '@tubelet/trainer';
import { ClipLoader, listVideos, type BadFile, type ClipBatch } from '@tubelet/video';
import manifest from '../package.json' with { type: 'json' };
import { PretrainingSession } from './session.js';
import { bindingSettings, modelConfig, type TrainOptions } from './train-settings.js';

/** Trains a masked autoencoder on the videos of `sources`; returns when done or asked to stop. */
export async function train(
  runtime: Runtime,
  sources: readonly string[],
  options: TrainOptions,
  commandLine: readonly string[],
): Promise<void> {
  const config = modelConfig(options);
  const settings = bindingSettings(options, sources);
  if (options.resume) requireSameSettings(options.out, readRunConfig(options.out).settings, settings);

  const progress = createProgress();
  const badFiles: BadFile[] = [];
  const loader = await openLoader(sources, options, (file) => {
    badFiles.push(file);
    progress.note(`cannot use ${file.path}: ${file.reason}`);
  });
  const stop = stopOnSignals((message) => progress.note(message));
  let run: RunFolder | undefined;
  try {
    const stepsPerEpoch = Math.floor(loader.stepsPerEpoch / options.accumulate);
    if (stepsPerEpoch === 0) {
      throw new UserError(
        `an epoch has ${loader.stepsPerEpoch} batches of ${options.batchSize}, fewer than --accumulate ${options.accumulate}`,
      );
    }
    const session = new PretrainingSession(runtime, config, options);
    let startStep = 0;
    if (options.resume) {
      const found = await latestCheckpoint(options.out, (message) => progress.note(message));
      if (found) {
        session.restore(found.path, found.content);
        startStep = found.step;
        progress.note(`resuming after step ${startStep} from ${found.path}`);
      }
      run = await resumeRun(options.out, startStep);
    } else {
      run = await createRun(options.out, describeRun(runtime, settings, options, commandLine));
    }
    if (startStep === 0) session.initialise(options.seed);
    progress.note(
      `${config.encoder.kind} with ${(session.model.store.count / 1e6).toFixed(2)} M parameters on ` +
        `${runtime.adapter.description || runtime.adapter.device}; ${loader.sampleCount} samples, ${stepsPerEpoch} steps an epoch`,
    );
    if (options.profile && !runtime.startProfiling()) {
      progress.note('this adapter has no timestamps (timestamp-query): --profile prints no times');
    }
    const clipsPerStep = options.batchSize * options.accumulate;
    const schedule = cosineSchedule({
      peak: scaleLearningRate(options.lr, clipsPerStep),
      minimum: scaleLearningRate(options.minLr, clipsPerStep),
      epochs: options.epochs,
      stepsPerEpoch,
      warmupEpochs: options.warmupEpochs,
    });
    const batches = new BatchReader(loader, options.accumulate);
    const lastStep = Math.min(schedule.totalSteps, options.stopAfter ?? schedule.totalSteps);
    const openRun = run;
    let reached = startStep;
    let loggedBadFiles = 0;
    const result = await runTraining({
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
        const metrics = await trainStep(session, batches, options, position, schedule.at(position.step));
        for (; loggedBadFiles < badFiles.length; loggedBadFiles++) {
          openRun.log.append({ type: 'bad-file', step: position.step, ...badFiles[loggedBadFiles]! });
        }
        reached = position.step + 1;
        return metrics;
      },
      checkpoint: (completedSteps) => session.checkpoint(completedSteps),
    });
    await batches.close();
    if (options.profile) console.log(formatProfile(await runtime.stopProfiling()));
    console.log(
      [
        `${result.finished ? 'finished' : 'stopped'} after ${result.completedSteps} of ${schedule.totalSteps} steps`,
        `checkpoint  ${result.checkpointPath}`,
        `report      ${result.reportPath}`,
        `peak memory ${formatBytes(runtime.pool.peakBytes)} on the GPU`,
        ...(badFiles.length > 0
          ? [`${badFiles.length} files could not be used; they are listed in the log`]
          : []),
      ].join('\n'),
    );
  } finally {
    stop.dispose();
    run?.close();
    await loader.close();
  }
}

/** One optimiser step: `accumulate` batches forward and backward, then AdamW. */
async function trainStep(
  session: PretrainingSession,
  batches: BatchReader,
  options: TrainOptions,
  position: StepPosition,
  learningRate: number,
): Promise<Metrics> {
  const { engine, model, optimiser, runtime } = session;
  const { encoder } = model.config;
  const losses = await averageMicroBatches(options.accumulate, async (index) => {
    const batch = await batches.next(position, index);
    return engine.step(async () => {
      const frames = runtime.upload(batch.frames, [
        batch.sampleIndices.length,
        encoder.frames,
        encoder.imageSize,
        encoder.imageSize,
        3,
      ]);
      const samples = [...batch.sampleIndices];
      const mask = drawMask(runtime, encoder, options.maskRatio, {
        seed: options.seed,
        epoch: position.epoch,
        samples,
      });
      const { loss, parts } = model.forward({ frames }, mask, { appearanceWeight: options.lossWeight });
      engine.backward(loss, { scale: 1 / options.accumulate });
      const [total, appearance, motion] = await runtime.read(parts);
      return { loss: total!, 'loss/appearance': appearance!, 'loss/motion': motion! };
    });
  });
  const [norm, nonFinite] = await runtime.read(optimiser.gradientNorm());
  if (nonFinite! > 0 || !Number.isFinite(losses['loss'])) {
    throw new UserError(
      `step ${position.step}: ${nonFinite} gradient values are not finite and the loss is ${losses['loss']}. ` +
        'Lower --lr or lengthen --warmup-epochs, and resume from the last checkpoint.',
    );
  }
  optimiser.step({ learningRate });
  return { ...losses, lr: learningRate, 'gradient norm': norm! };
}

/** Batches of an epoch in order, from any step on. */
class BatchReader {
  private iterator: AsyncIterator<ClipBatch> | undefined;
  private epoch = -1;

  constructor(
    private readonly loader: ClipLoader,
    private readonly accumulate: number,
  ) {}

  async next({ epoch, stepInEpoch }: StepPosition, index: number): Promise<ClipBatch> {
    if (epoch !== this.epoch) {
      await this.close();
      const startStep = stepInEpoch * this.accumulate + index;
      this.iterator = this.loader.epoch(epoch, { startStep })[Symbol.asyncIterator]();
      this.epoch = epoch;
    }
    const { value, done } = await this.iterator!.next();
    if (done) throw new Error(`epoch ${epoch} ended before step ${stepInEpoch}, batch ${index}`);
    return value;
  }

  async close(): Promise<void> {
    await this.iterator?.return?.();
    this.iterator = undefined;
  }
}

async function openLoader(
  sources: readonly string[],
  options: TrainOptions,
  onBadFile: (file: BadFile) => void,
): Promise<ClipLoader> {
  const { entries, skipped } = await listVideos(sources);
  for (const file of skipped) onBadFile(file);
  const { startSeconds, endSeconds } = options;
  const timeRange =
    startSeconds !== undefined || endSeconds !== undefined ? { startSeconds, endSeconds } : undefined;
  const loader = ClipLoader.open({
    entries: timeRange ? entries.map((entry) => ({ ...entry, timeRange })) : entries,
    batchSize: options.batchSize,
    seed: options.seed,
    size: options.imageSize,
    frames: options.frames,
    step: options.frameStep,
    crop: options.crop,
    augmentation: options.augmentation,
    clipsPerVideo: options.clipsPerVideo,
    segmentSeconds: options.segmentSeconds,
    workers: options.workers,
    onBadFile,
  });
  return loader.catch((error: unknown) => {
    // Options that do not fit the data set, e.g. a batch larger than it.
    throw error instanceof RangeError ? new UserError(error.message, { cause: error }) : error;
  });
}

function describeRun(
  runtime: Runtime,
  settings: RunConfig['settings'],
  options: TrainOptions,
  commandLine: readonly string[],
): RunConfig {
  const { adapter } = runtime;
  return {
    program: 'pretrain train',
    commandLine,
    settings: { ...settings, accumulatedBatch: options.batchSize * options.accumulate },
    versions: { tubelet: manifest.version, node: process.versions.node, webgpu: gpuBindingsVersion() },
    adapter: { ...adapter, features: [...adapter.features] },
    startedAt: new Date().toISOString(),
  };
}
