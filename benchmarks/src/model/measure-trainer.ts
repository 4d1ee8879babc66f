import { Engine } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import { createRun, EpochReader, runSteps, trainingStep, type RunConfig } from '@tubelet/trainer';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../kernels/batch-timer.js';
import { runStep } from './measure-model.js';
import { buildWorkload, type ModelRun } from './workload.js';

/** Steps of a model as the benchmark takes them, each waited for, and as a run takes them. */
export interface TrainerMeasurement {
  /** Median seconds of a step that is waited for. */
  readonly benchSeconds: number;
  /** Median seconds from the end of one step of a run to that of the next, log and event file included. */
  readonly trainerSeconds: number;
}

// The first step compiles, the second is recorded, and with the third the pipeline is full; in later turns it only fills.
const FIRST_WARM_UP_STEPS = 3;
const WARM_UP_STEPS = 1;

const CONFIG: RunConfig = {
  program: 'bench:model',
  commandLine: [],
  settings: {},
  versions: {},
  adapter: {},
  startedAt: '',
};

/**
 * Measures steps of a run beside those of the benchmark, in turn. A run takes its steps in rounds of its own, since it
 * overlaps them; nothing is decoded, so that what is left is what the training loop itself costs.
 *
 * @param rounds how often each takes its turn
 * @param steps steps of a turn that are timed
 */
export async function measureTrainer(
  runtime: Runtime,
  run: ModelRun,
  { rounds, steps }: { readonly rounds: number; readonly steps: number },
): Promise<TrainerMeasurement> {
  const engine = new Engine(runtime);
  const workload = buildWorkload(engine, run.encoder, run);
  const folder = await mkdtemp(join(tmpdir(), 'tubelet-bench-trainer-'));
  const endless = {
    stepsPerEpoch: Number.MAX_SAFE_INTEGER,
    async *epoch() {
      for (let step = 0; ; step++) yield step;
    },
  };
  try {
    const takeStep = trainingStep(workload.trained, new EpochReader(endless, 1), 1);
    const [bench, trainer]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      const warmUp = round === 0 ? FIRST_WARM_UP_STEPS : WARM_UP_STEPS;
      const totalSteps = warmUp + steps;
      for (let i = 0; i < totalSteps; i++) {
        const start = performance.now();
        const { end } = await runStep(engine, workload, 'step');
        if (i >= warmUp) bench.push((end - start) / 1000);
      }
      const ends: number[] = [];
      const opened = await createRun(join(folder, String(round)), CONFIG);
      await runSteps({
        run: opened,
        ...{ totalSteps, stepsPerEpoch: totalSteps, startStep: 0, clipsPerStep: run.batchSize },
        step: (position) => takeStep(position, 1e-6),
        onCompleted: () => ends.push(performance.now()),
        checkpoint: async () => ({ tensors: new Map(), metadata: {} }),
        ...{ checkpointEverySteps: totalSteps, retention: { keepLast: 1 } },
        progress: { update: () => undefined, note: () => undefined, stop: () => undefined },
        stop: { requested: false },
      });
      opened.close();
      for (let i = warmUp; i < ends.length; i++) trainer.push((ends[i]! - ends[i - 1]!) / 1000);
    }
    return { benchSeconds: median(bench), trainerSeconds: median(trainer) };
  } finally {
    await rm(folder, { recursive: true });
    workload.release();
    runtime.pool.trim();
  }
}
