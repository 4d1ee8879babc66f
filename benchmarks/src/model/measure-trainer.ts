import { Engine } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import { createRun, EpochReader, runSteps, trainingStep, type RunConfig } from '@tubelet/trainer';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../kernels/batch-timer.js';
import { profileStep, requireTakenSteps, runStep, settleLossScale } from './measure-model.js';
import { buildWorkload, type ModelRun, type Workload } from './workload.js';

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

/** A model in memory that takes steps in turns. */
export class ModelSteps {
  private readonly engine: Engine;
  private readonly workload: Workload;
  private readonly takeStep: ReturnType<typeof trainingStep>;
  private readonly folder: Promise<string>;
  private turns = 0;
  private skipped = 0;

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

  /** Takes the first steps, and others until none is skipped. Gives the seconds of the last one. */
  async warmUp(): Promise<number> {
    let [seconds] = await this.takeSteps(FIRST_WARM_UP_STEPS, 1);
    this.skipped = await settleLossScale(this.workload, async () => {
      [seconds] = await this.takeSteps(WARM_UP_STEPS, 1);
    });
    return seconds!;
  }

  /**
   * Seconds of each of `steps` steps that are waited for.
   *
   * @throws Error where one was skipped, whose AdamW did nothing
   */
  async takeWaited(steps: number): Promise<number[]> {
    const seconds: number[] = [];
    for (let i = 0; i < WARM_UP_STEPS + steps; i++) {
      const start = performance.now();
      const { end } = await runStep(this.engine, this.workload, 'step');
      if (i >= WARM_UP_STEPS) seconds.push((end - start) / 1000);
    }
    await requireTakenSteps(this.workload, this.skipped);
    return seconds;
  }

  /**
   * Seconds from the end of one step of a run to that of the next.
   *
   * @throws Error where one was skipped
   */
  async takeAsRun(steps: number): Promise<number[]> {
    const seconds = await this.takeSteps(WARM_UP_STEPS, steps);
    await requireTakenSteps(this.workload, this.skipped);
    return seconds;
  }

  private async takeSteps(warmUp: number, steps: number): Promise<number[]> {
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
    await model.warmUp();
    // Steps that are waited for are recorded as steps of their own.
    await model.takeWaited(FIRST_WARM_UP_STEPS - WARM_UP_STEPS);
    for (let round = 0; round < rounds; round++) {
      bench.push(...(await model.takeWaited(steps)));
      trainer.push(...(await model.takeAsRun(steps)));
    }
    return { benchSeconds: median(bench), trainerSeconds: median(trainer) };
  } finally {
    await model.release();
  }
}
