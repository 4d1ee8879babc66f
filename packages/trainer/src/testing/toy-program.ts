/**
 * A whole training program around a toy model, to be killed, stopped and resumed by tests:
 * `node toy-program.mjs RUN TOTAL_STEPS CHECKPOINT_EVERY [SLOW_STEP [deaf]]`. It resumes RUN where there
 * is one, says `step N` before each step, and waits for ever within step SLOW_STEP, until it is told to stop
 * or, when deaf, even then.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { existsSync } from 'node:fs';
import type { SafetensorsTensor } from '@tubelet/autograd/formats';
import { checkpointPath, latestCheckpoint } from '../formats/checkpoint-folder.js';
import { runCli } from '../program/cli.js';
import { OptionError } from '../errors.js';
import { createProgress } from '../program/progress.js';
import { createRun, resumeRun } from '../run/run-folder.js';
import { stopOnSignals } from '../program/stop-signal.js';
import { runSteps } from '../training/loop.js';
import { EXAMPLE_CONFIG } from './example-config.js';

async function main(): Promise<void> {
  const [directory, totalText = '', everyText = '', slowText = '0', deaf] = process.argv.slice(2);
  if (!directory) throw new OptionError('RUN', directory, 'a folder');
  const totalSteps = Number(totalText);
  if (!(totalSteps >= 1)) throw new OptionError('TOTAL_STEPS', totalText, 'a whole number of at least 1');
  const checkpointEverySteps = Number(everyText);
  const slowStep = Number(slowText);
  const progress = createProgress();

  const resuming = existsSync(`${directory}/config.json`);
  const latest = resuming ? await latestCheckpoint(directory, progress.note.bind(progress)) : null;
  const startStep = latest?.step ?? 0;
  const run = await (resuming ? resumeRun(directory, startStep) : createRun(directory, EXAMPLE_CONFIG));
  const saved = latest?.content.tensors.get('weight')?.data as Float64Array | undefined;
  const weight = Float64Array.from(saved ?? [1, 2, 3]);

  const stop = stopOnSignals(progress.note.bind(progress));
  const result = await runSteps({
    run,
    totalSteps,
    stepsPerEpoch: 4,
    startStep,
    clipsPerStep: 2,
    async step(position) {
      const { step, epoch, stepInEpoch } = position;
      // What is done to the program in its slow step finds the checkpoint before it written.
      const saved = checkpointPath(
        run.directory,
        Math.floor(step / checkpointEverySteps) * checkpointEverySteps,
      );
      while (step === slowStep && step >= checkpointEverySteps && !existsSync(saved)) await delay(5);
      process.stdout.write(`step ${step}\n`);
      while (step === slowStep && slowStep > 0 && (!stop.requested || deaf)) await delay(5);
      weight.forEach((value, i) => (weight[i] = value - 0.01 * Math.sin(value + step)));
      const metrics = {
        loss: weight.reduce((sum, value) => sum + value, 0),
        'loss/part': epoch + stepInEpoch / 4,
      };
      return { position, dataWaitMs: 0, gpuWaitMs: 0, settle: async () => metrics };
    },
    async checkpoint(completedSteps) {
      const tensor: SafetensorsTensor = { dtype: 'F64', shape: [3], data: weight.slice() };
      return { tensors: new Map([['weight', tensor]]), metadata: { step: String(completedSteps) } };
    },
    checkpointEverySteps,
    retention: { keepLast: 2 },
    progress,
    stop,
  });
  run.close();
  process.stdout.write(`${result.finished ? 'finished' : 'stopped'} ${result.completedSteps}\n`);
}

await runCli(main);
