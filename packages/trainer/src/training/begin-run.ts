import type { Runtime } from '@tubelet/kernels';
import { latestCheckpoint } from '../formats/checkpoint-folder.js';
import { createRun, resumeRun, type RunConfig } from '../run/run-folder.js';
import type { Plan } from './plan.js';
import { fromFirst, shareContent, silentRun } from './ranks.js';
import { describeEnvironment, otherAdapterNote } from './run-description.js';
import type { ClipOrigins, RunContext, TrainedModel } from './task.js';

/**
 * Makes the run's folder and first weights, or restores the state of its latest sound checkpoint. A run that was killed
 * before its first one begins anew. The first rank does all of it and gives the others its state.
 */
export async function beginRun<Batch extends ClipOrigins, Model extends TrainedModel<Batch>>(
  model: Model,
  plan: Plan<Batch, Model>,
): Promise<{ context: RunContext<Batch>; startStep: number }> {
  const { ranks, task, loader, stepsPerEpoch, progress, badFiles, lock, saved } = plan;
  const { out } = task.options;
  const { runtime } = model.engine;
  if (ranks.rank > 0) return joinRun(model, plan);
  const found = saved ? await latestCheckpoint(out, (message) => progress.note(message)) : undefined;
  const startStep = found?.step ?? 0;
  if (found) model.restore(found.path, found.content);
  else model.initialise();
  const first = found ? undefined : await task.loadFirstWeights?.(model);
  // It begins with the weights that training begins with.
  if (!found) model.average?.initialise();
  await lock.take();
  const run = saved
    ? await resumeRun(out, startStep, lock)
    : await createRun(out, describeRun(runtime, plan), lock);
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
  if (saved) progress.note(`${out} has no checkpoint yet: beginning with the first step`);
  if (first) progress.note(first.note);
  if (first?.record) run.log.append({ type: 'starting-weights', step: 0, ...first.record });
  return { context, startStep };
}

/** The state of the first rank, for another. */
async function joinRun<Batch extends ClipOrigins, Model extends TrainedModel<Batch>>(
  model: Model,
  plan: Plan<Batch, Model>,
): Promise<{ context: RunContext<Batch>; startStep: number }> {
  const { ranks, task, loader, stepsPerEpoch, progress, badFiles } = plan;
  const startStep = await fromFirst(ranks, () => 0);
  model.restore('the state of rank 0', await shareContent(ranks, undefined));
  const run = silentRun(task.options.out, describeRun(model.engine.runtime, plan));
  return { context: { ranks, run, loader, stepsPerEpoch, progress, badFiles }, startStep };
}

/** Everything needed to repeat a run. */
function describeRun<Batch extends ClipOrigins, Model extends TrainedModel<Batch>>(
  runtime: Runtime,
  { ranks, task, data, loader, stepsPerEpoch, saveEvery }: Plan<Batch, Model>,
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
      saveEvery,
      keep: options.keep,
      keepEvery: options.keepEvery ?? null,
      recompute: options.recompute === true,
    },
    ...describeEnvironment(runtime, loader.ffmpeg, version),
  };
}
