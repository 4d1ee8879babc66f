import type { Communicator } from '@tubelet/mpi';
import { inFullPrecision, type BadFiles, type Metrics, type RunContext } from '@tubelet/trainer';
import { saveCheckpoint } from '@tubelet/trainer/formats';
import { bestCheckpointPath, isBetter, validationMetrics } from '../shared/best-epoch.js';
import { evaluateVideos, type VideosEvaluation } from '../evaluate/evaluate.js';
import type { FoldTraining } from './fold-training.js';
import type { ClassifierTraining } from './training-state.js';

/** Whether an epoch, counted from 0, is followed by a validation: every so many, and the last. */
export function isValidated(
  epoch: number,
  { options, videos }: Pick<FoldTraining, 'options' | 'videos'>,
): boolean {
  if (videos.validation.length === 0) return false;
  return (epoch + 1) % options.validateEvery === 0 || epoch + 1 === options.epochs;
}

/** Scores a part of the run's videos with the classifier as it is; in f32, as `evaluate` does. */
export function evaluatePart(
  part: 'validation' | 'test',
  { classifier, engine }: ClassifierTraining,
  { options, videos, dataset }: FoldTraining,
  badFiles: BadFiles,
  ranks: Communicator,
): Promise<VideosEvaluation> {
  return inFullPrecision(engine.runtime, () =>
    evaluateVideos(classifier, videos[part], {
      classNames: dataset.classes,
      clips: options.clips,
      batchSize: options.batchSize,
      frameStep: options.frameStep,
      crop: options.crop,
      workers: options.workers,
      decodeLimitMs: options.decodeLimit && 1000 * options.decodeLimit,
      onBadFile: badFiles.report,
      ranks,
    }),
  );
}

/** Validates the weights after an epoch, keeps them if they are the best so far, and says how good they are. */
export async function validate(
  training: ClassifierTraining,
  epoch: number,
  fold: FoldTraining,
  { badFiles, ranks, run }: Pick<RunContext<unknown>, 'badFiles' | 'ranks' | 'run'>,
): Promise<{ readonly metrics: Metrics; readonly note: string }> {
  const score = () => evaluatePart('validation', training, fold, badFiles, ranks);
  const { loss, metrics } = await training.withFinalWeights(score);
  const { uar, war } = metrics;
  if (isBetter({ uar, war }, training.best)) {
    training.best = { epoch, uar, war };
    const weights = await training.weights();
    run.requireHeld();
    if (run.isWritten) await saveCheckpoint(bestCheckpointPath(fold.options.out), weights);
  }
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  const note =
    `epoch ${epoch + 1}: validation loss ${loss.toFixed(4)}, UAR ${percent(uar)}, WAR ${percent(war)}` +
    (training.best?.epoch === epoch ? ', the best so far' : '');
  return { metrics: validationMetrics({ loss, uar, war }), note };
}
