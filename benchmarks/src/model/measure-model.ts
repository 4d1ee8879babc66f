import { Engine } from '@tubelet/autograd';
import { formatProfile, type Runtime } from '@tubelet/kernels';
import { stepCosts } from '../expect/step-costs.js';
import { median } from '../kernels/batch-timer.js';
import { takeTurn } from '../shared/turns.js';
import { javascriptTimes, type JavascriptTimes } from './javascript-times.js';
import { buildWorkload, phases, type ModelRun, type Phase, type Workload } from './workload.js';

/** What a phase of a model finds there between steps: parameters, optimiser, inputs of its recorded step. */
interface OwnMemory {
  bytes: number;
}

/** One part of a training step in steady state; all counts are those of one step. */
export interface PhaseMeasurement extends JavascriptTimes {
  readonly phase: Phase;
  /** Median, from the first call to the GPU having finished. */
  readonly seconds: number;
  readonly clipsPerSecond: number;
  /** 2 · multiply–accumulates + other operations. */
  readonly gigaflops: number;
  /** Bytes read and written, by the kernels' declared costs. */
  readonly bytes: number;
  /**
   * What unfused operations would move (`TapeBytes`); absent for a forward pass without a tape, and where blocks run
   * again in the backward pass.
   */
  readonly unfusedBytes?: number;
  readonly dispatches: number;
  readonly submits: number;
  /** New in the timed steps, all together: 0 when a step finds everything it needs again. */
  readonly buffersCreated: number;
  readonly bindGroupsCreated: number;
  readonly pipelinesCreated: number;
  /** Most memory handed out at one time, parameters and optimiser included. */
  readonly peakBytes: number;
}

export interface ModelMeasurement {
  readonly phases: readonly PhaseMeasurement[];
  /** Time of a whole step by kernel; absent where the adapter has no timestamps. */
  readonly profile?: string;
}

// The first step compiles, the second is recorded; those after it are replayed, as in training.
const WARM_UP_STEPS = 2;

/**
 * Measures all parts of a step of every run, and the time of a whole step by kernel. All models are in memory at once
 * and take their steps in turn, so that whatever else the machine does slows all of them down alike.
 *
 * @throws when a loss is not finite
 */
export async function measureModels(
  runtime: Runtime,
  runs: readonly ModelRun[],
  { steps }: { readonly steps: number },
): Promise<ModelMeasurement[]> {
  const javascript: Map<Phase, JavascriptTimes>[] = [];
  for (const run of runs) javascript.push(await javascriptTimes(runtime, run));
  const engine = new Engine(runtime);
  const workloads: Workload[] = [];
  const meters: PhaseMeter[] = [];
  try {
    for (const run of runs) {
      const before = runtime.pool.liveBytes;
      const workload = buildWorkload(engine, run.encoder, run);
      workloads.push(workload);
      const bytes = runtime.pool.liveBytes - before;
      // Phases with a backward pass are recorded as one, and so keep the same inputs.
      const [forward, backward] = [{ bytes }, { bytes }];
      for (const phase of phases) {
        const own = phase === 'forward' ? forward : backward;
        meters.push(new PhaseMeter(engine, workload, { run, phase, own }));
      }
    }
    const inTurn = phases.flatMap((phase) => meters.filter((meter) => meter.phase === phase));
    for (let i = 0; i < WARM_UP_STEPS; i++) for (const meter of inTurn) await meter.warmUp();
    const skipped = [];
    for (const workload of workloads) skipped.push(await settle(engine, workload));
    for (let i = 0; i < steps; i++) for (const meter of inTurn) await takeTurn(() => meter.measure());
    for (const [i, workload] of workloads.entries()) await requireTakenSteps(workload, skipped[i]!);
    const measured: ModelMeasurement[] = [];
    for (const [i, run] of runs.entries()) {
      const parts: PhaseMeasurement[] = [];
      for (const meter of meters.slice(i * phases.length, (i + 1) * phases.length)) {
        const { unfusedBytes } = await stepCosts(run.encoder, run, {
          phase: meter.phase,
          precision: runtime.precision,
        });
        const unfused = unfusedBytes > 0 && !run.recompute ? { unfusedBytes } : {};
        parts.push({ ...meter.result(), ...unfused, ...javascript[i]!.get(meter.phase)! });
      }
      const profile = await takeTurn(() => profileStep(engine, workloads[i]!));
      measured.push({ phases: parts, ...(profile === undefined ? {} : { profile }) });
    }
    return measured;
  } finally {
    for (const workload of workloads) workload.release();
    runtime.pool.trim();
  }
}

/** Median seconds of a whole step, and nothing else about it. */
export async function measureStep(
  runtime: Runtime,
  run: ModelRun,
  { steps }: { readonly steps: number },
): Promise<number> {
  const engine = new Engine(runtime);
  const before = runtime.pool.liveBytes;
  const workload = buildWorkload(engine, run.encoder, run);
  const own = { bytes: runtime.pool.liveBytes - before };
  try {
    const meter = new PhaseMeter(engine, workload, { run, phase: 'step', own });
    for (let i = 0; i < WARM_UP_STEPS; i++) await meter.warmUp();
    const skipped = await settle(engine, workload);
    for (let i = 0; i < steps; i++) await meter.measure();
    await requireTakenSteps(workload, skipped);
    return meter.result().seconds;
  } finally {
    workload.release();
    runtime.pool.trim();
  }
}

/** More of them in a row than a loss scale needs to become small. */
const MOST_SKIPPED = 32;

/**
 * Takes steps until none is skipped any more, each of which halves a loss scale that is too large for f16; gives how
 * many were skipped so far.
 */
export async function settleLossScale(
  workload: Pick<Workload, 'skippedSteps'>,
  takeStep: () => Promise<unknown>,
): Promise<number> {
  let skipped = await workload.skippedSteps();
  for (let before = 0; skipped > before && skipped < MOST_SKIPPED;) {
    before = skipped;
    await takeStep();
    skipped = await workload.skippedSteps();
  }
  return skipped;
}

const settle = (engine: Engine, workload: Workload) =>
  settleLossScale(workload, () => runStep(engine, workload, 'step'));

/**
 * AdamW does nothing in a step that is skipped, so that its time would say nothing of training.
 *
 * @param before how many were skipped in warming up
 * @throws Error where others were skipped after them
 */
export async function requireTakenSteps(
  workload: Pick<Workload, 'skippedSteps'>,
  before: number,
): Promise<void> {
  const skipped = (await workload.skippedSteps()) - before;
  if (skipped > 0) throw new Error(`gradients overflowed f16 in ${skipped} steps, which were skipped`);
}

/** Time of a step by kernel, as text; undefined where the adapter has no timestamps. */
export async function profileStep(engine: Engine, workload: Workload): Promise<string | undefined> {
  const { runtime } = engine;
  if (!runtime.startProfiling()) return undefined;
  await runStep(engine, workload, 'step');
  return formatProfile(await runtime.stopProfiling());
}

/** Times and counts of one part of a step, taken one at a time. */
class PhaseMeter {
  readonly phase: Phase;
  private readonly times: number[] = [];
  /** Sums over the timed steps. */
  private readonly sums = {
    ...{ flops: 0, bytes: 0, dispatches: 0, submits: 0 },
    ...{ buffersCreated: 0, bindGroupsCreated: 0, pipelinesCreated: 0 },
  };
  private peakBytes = 0;

  constructor(
    private readonly engine: Engine,
    private readonly workload: Workload,
    private readonly options: { readonly run: ModelRun; readonly phase: Phase; readonly own: OwnMemory },
  ) {
    this.phase = options.phase;
  }

  // Memory is handed out while a step is worked out, and kept for its replays.
  async warmUp(): Promise<void> {
    const { pool } = this.engine.runtime;
    const { own } = this.options;
    const before = pool.liveBytes;
    const others = before - own.bytes;
    pool.resetPeak();
    await runStep(this.engine, this.workload, this.phase);
    this.peakBytes = Math.max(this.peakBytes, pool.peakBytes - others);
    own.bytes += pool.liveBytes - before;
  }

  async measure(): Promise<void> {
    const { sums, times } = this;
    const { runtime } = this.engine;
    const { pool } = runtime;
    const before = { ...runtime.counters, buffers: pool.createdBuffers };
    runtime.ledger.reset();
    const start = performance.now();
    const { loss, end } = await runStep(this.engine, this.workload, this.phase);
    times.push((end - start) / 1000);
    if (!Number.isFinite(loss))
      throw new Error(`the loss of step ${times.length} (${this.phase}) is ${loss}`);
    const after = runtime.counters;
    const { macs, flops, bytesRead, bytesWritten } = runtime.ledger.total();
    sums.flops += 2 * macs + flops;
    sums.bytes += bytesRead + bytesWritten;
    sums.dispatches += after.dispatches - before.dispatches;
    sums.submits += after.submits - before.submits;
    sums.buffersCreated += pool.createdBuffers - before.buffers;
    sums.bindGroupsCreated += after.bindGroupsCreated - before.bindGroupsCreated;
    sums.pipelinesCreated += after.pipelinesCreated - before.pipelinesCreated;
  }

  result(): Omit<PhaseMeasurement, 'unfusedBytes' | keyof JavascriptTimes> {
    const { phase, sums, times, peakBytes } = this;
    const seconds = median(times);
    return {
      phase,
      seconds,
      clipsPerSecond: this.options.run.batchSize / seconds,
      gigaflops: sums.flops / times.length / 1e9,
      bytes: sums.bytes / times.length,
      dispatches: sums.dispatches / times.length,
      submits: sums.submits / times.length,
      buffersCreated: sums.buffersCreated,
      bindGroupsCreated: sums.bindGroupsCreated,
      pipelinesCreated: sums.pipelinesCreated,
      peakBytes,
    };
  }
}

/** One step; the loss is read after the clock has stopped, and its read's submit is among those counted. */
export async function runStep(
  engine: Engine,
  workload: Workload,
  phase: Phase,
): Promise<{ readonly loss: number; readonly end: number }> {
  return engine.step(async () => {
    const loss = await workload.replay(phase);
    await engine.runtime.synchronize();
    const end = performance.now();
    return { loss: await loss.item(), end };
  });
}
