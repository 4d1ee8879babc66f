import { cosineSchedule, scaleLearningRate } from '@tubelet/autograd';
import { runSteps, type TrainingResult } from './loop.js';
import type { Plan } from './plan.js';
import { requireSameState, SharedSteps } from './ranks.js';
import { SkippedSteps } from './skipped-steps.js';
import type { ClipOrigins, RunContext, TrainedModel } from './task.js';
import { trainingStep } from './train-step.js';

/** Who is told of steps. */
interface Observers {
  /** Before each, with the number of those begun before it. */
  readonly before: (begunSteps: number) => void;
  readonly onCompleted: (completedSteps: number) => void;
}

/** Takes the steps of a run from `startStep` on, with all that goes with them. */
export function takeSteps<Batch extends ClipOrigins, Model extends TrainedModel<Batch>>(
  model: Model,
  { ranks, task, batches, stepsPerEpoch, saveEvery, progress, badFiles, stop, trace }: Plan<Batch, Model>,
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
  const skipped = new SkippedSteps(ranks, context.run, options.seed, (message) => progress.note(message));
  const takeStep = trainingStep(model, batches, options.accumulate, {
    ...{ shared, trace, skipped, maxSkipped: options.maxSkipped },
  });
  return runSteps({
    run: context.run,
    totalSteps: schedule.totalSteps,
    stepsPerEpoch,
    startStep,
    stopAfter: options.stopAfter,
    clipsPerStep,
    checkpointEverySteps: saveEvery,
    retention: { keepLast: options.keep, keepEverySteps: (options.keepEvery ?? 0) * stepsPerEpoch },
    progress,
    stop: shared ?? stop,
    isShared: shared !== undefined,
    hasSequel: task.conclude !== undefined,
    trace,
    step: (position) => {
      before(position.step);
      return takeStep(position, schedule.at(position.step));
    },
    onCompleted,
    endOfEpoch: task.endEpoch && ((epoch) => task.endEpoch!(model, epoch, context)),
    checkpoint: async (completedSteps) => {
      context.run.requireHeld();
      const content = await model.checkpoint(completedSteps);
      await requireSameState(ranks, content, completedSteps);
      return content;
    },
  });
}
