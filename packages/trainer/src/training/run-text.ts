import { formatBytes } from '@tubelet/kernels';
import type { TrainingResult } from './loop.js';
import type { Plan } from './plan.js';
import type { ClipOrigins, RunContext, Task, TrainedModel } from './task.js';

/** Lines about what is about to be trained on what. */
export function announcements<Batch extends ClipOrigins, Model extends TrainedModel<Batch>>(
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

/** Lines about what a run has come to. */
export async function summary<Batch extends ClipOrigins, Model extends TrainedModel<Batch>>(
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
