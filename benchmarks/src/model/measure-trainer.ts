import { Engine } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import { createRun, EpochReader, runSteps, trainingStep, type RunConfig } from '@tubelet/trainer';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../kernels/batch-timer.js';
import { profileStep, runStep } from './measure-model.js';
import { buildWorkload, type ModelRun, type Workload } from './workload.js';

/** Steps of a model as the benchmark takes them, each waited for, and as a run takes them. */
export interface TrainerMeasurement {
  /** Median seconds of a step that is waited for. */
  readonly benchSeconds: number;
  /** Median seconds from the end of one step of a run to that of the next, log and event file included. */
  readonly trainerSeconds: number;
}

// The first step compiles, the second is recorded, and with the third the pipeline is full; in later turns it only fills.
export const FIRST_WARM_UP_STEPS = 3;
export const WARM_UP_STEPS = 1;

const CONFIG: RunConfig = {
  program: 'bench:model',
  commandLine: [],
  settings: {},
  versions: {},
  adapter: {},
  startedAt: '',
};

/** A model in memory that takes steps in turns. */
export class ModelSteps {
  private readonly engine: Engine;
  private readonly workload: Workload;
  private readonly takeStep: ReturnType<typeof trainingStep>;
  private readonly folder: Promise<string>;
  private turns = 0;

  constructor(
    private readonly runtime: Runtime,
    private readonly run: ModelRun,
  ) {
    this.engine = new Engine(runtime);
    this.workload = buildWorkload(this.engine, run.encoder, run);
    const endless = {
      stepsPerEpoch: Number.MAX_SAFE_INTEGER,
      async *epoch() {
        for (let step = 0; ; step++) yield step;
      },
    };
    this.takeStep = trainingStep(this.workload.trained, new EpochReader(endless, 1), 1);
    this.folder = mkdtemp(join(tmpdir(), 'tubelet-bench-trainer-'));
  }

  /** Seconds of each of `steps` steps that are waited for, after `warmUp` others. */
  async takeWaited(warmUp: number, steps: number): Promise<number[]> {
    const seconds: number[] = [];
    for (let i = 0; i < warmUp + steps; i++) {
      const start = performance.now();
      const { end } = await runStep(this.engine, this.workload, 'step');
      if (i >= warmUp) seconds.push((end - start) / 1000);
    }
    return seconds;
  }

  /** Seconds from the end of one step of a run to that of the next, of `steps` after `warmUp` others. */
  async takeAsRun(warmUp: number, steps: number): Promise<number[]> {
    const totalSteps = warmUp + steps;
    const ends: number[] = [];
    const opened = await createRun(join(await this.folder, String(this.turns++)), CONFIG);
    await runSteps({
      run: opened,
      ...{ totalSteps, stepsPerEpoch: totalSteps, startStep: 0, clipsPerStep: this.run.batchSize },
      step: (position) => this.takeStep(position, 1e-6),
      onCompleted: () => ends.push(performance.now()),
      checkpoint: async () => ({ tensors: new Map(), metadata: {} }),
      ...{ checkpointEverySteps: totalSteps, retention: { keepLast: 1 } },
      progress: { update: () => undefined, note: () => undefined, stop: () => undefined },
      stop: { requested: false },
    });
    opened.close();
    return ends.slice(warmUp).map((end, i) => (end - ends[warmUp + i - 1]!) / 1000);
  }

  /** Steps that were skipped so far, whose AdamW did nothing. Waits for the GPU. */
  skippedSteps(): Promise<number> {
    return this.workload.skippedSteps();
  }

  /** Time of a step by kernel, as text; undefined where the adapter has no timestamps. */
  profile(): Promise<string | undefined> {
    return profileStep(this.engine, this.workload);
  }

  async release(): Promise<void> {
    await rm(await this.folder, { recursive: true });
    this.workload.release();
    this.runtime.pool.trim();
  }
}

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
  const model = new ModelSteps(runtime, run);
  try {
    const [bench, trainer]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      const warmUp = round === 0 ? FIRST_WARM_UP_STEPS : WARM_UP_STEPS;
      bench.push(...(await model.takeWaited(warmUp, steps)));
      trainer.push(...(await model.takeAsRun(warmUp, steps)));
    }
    return { benchSeconds: median(bench), trainerSeconds: median(trainer) };
  } finally {
    await model.release();
  }
}
