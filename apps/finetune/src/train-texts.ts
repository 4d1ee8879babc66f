import { formatBytes, type Runtime } from '@tubelet/kernels';
import { describeEnvironment } from '@tubelet/programs';
import type { RunConfig, TrainingResult } from '@tubelet/trainer';
import type { LabelledClipLoader } from '@tubelet/video';
import { resolve } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { bestCheckpointPath } from './best-epoch.js';
import type { Plan } from './train-plan.js';
import type { ClassifierTraining } from './training-state.js';

/** Says what is about to be trained on what. */
export function announce(
  { classifier, runtime }: ClassifierTraining,
  loader: LabelledClipLoader,
  { dataset, fold, videos, stepsPerEpoch, progress }: Plan,
): void {
  const { adapter } = runtime;
  progress.note(
    `${classifier.config.encoder.kind} with ${(classifier.store.count / 1e6).toFixed(2)} M parameters on ` +
      `${adapter.description || adapter.device}`,
  );
  progress.note(
    `${dataset.title}, fold ${fold} of ${dataset.folds}: ${loader.sampleCount} videos to train on, ` +
      `${videos.test.length} to test; validated on ${videos.validatedOn}; steps an epoch: ${stepsPerEpoch}`,
  );
  progress.note(`decoder: ${loader.decoder}`);
}

/** Says what a run has left behind; `more` is said in the middle. */
export function summary(
  result: TrainingResult,
  training: ClassifierTraining,
  plan: Plan,
  more: readonly string[],
): string {
  const { options, stepsPerEpoch, badFiles } = plan;
  const lines = [
    `${result.finished ? 'finished' : 'stopped'} after ${result.completedSteps} of ${options.epochs * stepsPerEpoch} steps`,
    `checkpoint  ${result.checkpointPath}`,
    `report      ${result.reportPath}`,
    `peak memory ${formatBytes(training.runtime.pool.peakBytes)} on the GPU`,
    ...more,
  ];
  if (training.best) {
    lines.push(`best        ${bestCheckpointPath(options.out)} (epoch ${training.best.epoch + 1})`);
  }
  if (badFiles.count > 0) lines.push(`left out    ${badFiles.count} files; the log names them`);
  if (!result.finished) {
    const without = options.stopAfter === undefined ? '' : ' and without --stop-after';
    lines.push(`the same command with --resume${without} goes on from here`);
  }
  return lines.join('\n');
}

/** Everything needed to repeat a run. */
export function describeRun(runtime: Runtime, loader: LabelledClipLoader, plan: Plan): RunConfig {
  const { options, commandLine, settings, stepsPerEpoch, videos, dataset } = plan;
  return {
    program: 'finetune train',
    commandLine,
    settings: {
      ...settings,
      root: resolve(dataset.root),
      validatedOn: videos.validatedOn,
      clipsPerStep: options.batchSize * options.accumulate,
      stepsPerEpoch,
      saveEvery: options.saveEvery ?? stepsPerEpoch,
      keep: options.keep,
      recompute: options.recompute === true,
    },
    ...describeEnvironment(runtime, loader.ffmpeg, manifest.version),
  };
}
