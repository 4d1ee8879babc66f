import type { ClassifierConfig } from '@tubelet/mae-dfer';
import {
  openLoader,
  OptionError,
  trainRun,
  type BadFiles,
  type Evaluation,
  type RankShare,
  type RunContext,
  type Trainable,
  type TrainingResult,
} from '@tubelet/trainer';
import {
  blankAugmentations,
  blankClips,
  LabelledClipLoader,
  NO_MIX,
  type LabelledClipBatch,
} from '@tubelet/video';
import { resolve } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { bestCheckpointPath } from '../shared/best-epoch.js';
import { resolveCheckpoint } from '../shared/checkpoint-place.js';
import { labelledFingerprint, videosOfFold } from '../shared/data-source.js';
import { foldSettings } from './fold-settings.js';
import type { FoldTraining, TrainRequest } from './fold-training.js';
import { formatWeightsReport, loadStartingWeights } from './starting-weights.js';
import { completeRunReport, reportTest } from './test-report.js';
import { testRun } from './test-run.js';
import { isMixing, mixOf, transformOf, type RunOptions } from './train-options.js';
import { ClassifierTraining } from './training-state.js';
import { evaluatePart, isValidated, validate } from './validation.js';

/** The training that the options describe, without its data. */
export function trainable(
  options: RunOptions,
  model: ClassifierConfig,
  {
    classNames = [],
    fold = 1,
    train,
  }: { classNames?: readonly string[]; fold?: number; train?: string } = {},
): Trainable<LabelledClipBatch, ClassifierTraining> {
  const { frameStep, crop, data: name } = options;
  const { encoder, classes } = model;
  const description = { model, classNames, clips: { frameStep, crop }, data: { name, fold, train } };
  return {
    options,
    // Clips are mixed in pairs.
    batchMultiple: isMixing(options) ? 2 : 1,
    createModel: (runtime) => new ClassifierTraining(runtime, description, options),
    emptyBatch: (batchSize) => ({
      clips: blankClips(batchSize, encoder.frames, encoder.imageSize),
      augmentations: blankAugmentations(batchSize, encoder.imageSize),
      mix: batchSize % 2 === 0 ? { lambda: 0.5 } : NO_MIX,
      targets: new Float32Array(batchSize * classes),
      labels: new Uint32Array(batchSize),
      sampleIndices: Uint32Array.from({ length: batchSize }, (_, i) => i),
      ...{ names: [], frameIndices: [], epoch: 0, step: 0 },
    }),
  };
}

/**
 * Fine-tunes a classifier on one fold and tests it.
 *
 * @returns the test's result; undefined when the user stopped the run, or there is no test part
 */
export async function train(request: TrainRequest): Promise<{ finished: boolean; test?: Evaluation }> {
  const { dataset, fold, options, config, commandLine } = request;
  const videos = videosOfFold(dataset, fold, options);
  const training: FoldTraining = { ...request, videos };
  let test: Evaluation | undefined;
  const { finished } = await trainRun<LabelledClipBatch, ClassifierTraining>({
    ...trainable(options, config, {
      ...{ classNames: dataset.classes, fold },
      // Whole: what is held out of it for validation has chosen the classifier.
      train: labelledFingerprint(dataset.split(fold).train),
    }),
    program: 'finetune',
    version: manifest.version,
    commandLine,
    saveEveryEpochs: 1,
    openData: async (badFiles) => ({
      settings: foldSettings(request, videos),
      description: { root: resolve(dataset.root), validatedOn: videos.validatedOn },
      openLoader: (share) => openVideos(training, badFiles, share),
    }),
    loadFirstWeights: (model) => loadFirstWeights(model, training),
    announcements: ({ loader, stepsPerEpoch }) => [
      `${dataset.title}, fold ${fold} of ${dataset.folds}: ${loader.sampleCount} videos to train on, ` +
        `${videos.test.length} to test; validated on ${videos.validatedOn}; steps an epoch: ${stepsPerEpoch}`,
    ],
    endEpoch: async (model, epoch, context) => {
      if (!isValidated(epoch, training)) return undefined;
      const { metrics, note } = await validate(model, epoch, training, context);
      context.progress.note(note);
      return metrics;
    },
    summary: ({ best }) =>
      best ? [`best        ${bestCheckpointPath(options.out)} (epoch ${best.epoch + 1})`] : [],
    conclude: async (model, result, context) => {
      test = await conclude(model, result, training, context);
    },
  });
  return { finished, test };
}

async function openVideos(
  { videos: { train: videos }, options, config }: FoldTraining,
  badFiles: BadFiles,
  share: RankShare,
): Promise<LabelledClipLoader> {
  const { ranks } = share;
  if (options.batchSize * ranks > videos.length) {
    throw new OptionError(
      '--batch-size',
      options.batchSize,
      `at most the ${videos.length} videos to train on` + (ranks > 1 ? `, over ${ranks} ranks` : ''),
    );
  }
  return openLoader(options, badFiles, share, (shared) =>
    LabelledClipLoader.open({
      ...shared,
      videos,
      classes: config.classes,
      size: config.encoder.imageSize,
      frames: config.encoder.frames,
      transform: transformOf(options),
      mix: mixOf(options),
      labelSmoothing: options.labelSmoothing,
    }),
  );
}

async function loadFirstWeights(
  { classifier }: ClassifierTraining,
  { options, dataset, startingFile }: FoldTraining,
) {
  if (options.from === undefined) return { note: 'no --from: training begins with random weights' };
  const path = startingFile ?? (await resolveCheckpoint(options.from));
  const record = await loadStartingWeights(path, classifier, {
    otherHead: options.otherHead === 'renew' ? 'leave-out' : 'refuse',
    classNames: dataset.classes,
  });
  return { note: formatWeightsReport(record), record };
}

/** Tests the classifier that a run ended with, where there is a test part, and completes the run's report. */
async function conclude(
  model: ClassifierTraining,
  result: TrainingResult,
  training: FoldTraining,
  { run, progress, badFiles, ranks }: RunContext<LabelledClipBatch>,
): Promise<Evaluation | undefined> {
  const { dataset, videos, options } = training;
  if (videos.test.length === 0) {
    progress.note(`${dataset.root} has no test part: nothing is tested`);
    if (run.isWritten) await completeRunReport(run, dataset, videos);
    return undefined;
  }
  const score = () => evaluatePart('test', model, training, badFiles, ranks);
  const test = await testRun(model, result.checkpointPath, training, score, ranks);
  if (!run.isWritten) return test;
  const { uar, war } = test.metrics;
  run.log.append({ type: 'test', step: result.completedSteps, uar, war });
  run.log.flush();
  await completeRunReport(run, dataset, videos, test);
  await reportTest(test, dataset, videos, options, training.config);
  return test;
}
