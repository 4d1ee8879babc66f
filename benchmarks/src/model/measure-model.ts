import { Engine } from '@tubelet/autograd';
import { formatProfile, type Runtime } from '@tubelet/kernels';
import type { EncoderConfig } from '@tubelet/mae-dfer';
import { median } from '../kernels/batch-timer.js';
import { recordingRuntime } from '../shared/recording-runtime.js';
import { buildWorkload, phases, type Phase, type Task, type Workload } from './workload.js';

export interface ModelOptions {
  readonly task: Task;
  readonly batchSize: number;
  /** Timed steps after the warm-up. */
  readonly steps: number;
}

/** One part of a training step in steady state; all counts are those of one step. */
export interface PhaseMeasurement {
  readonly phase: Phase;
  /** Median, from the first call to the GPU having finished. */
  readonly seconds: number;
  readonly clipsPerSecond: number;
  /** 2 · multiply–accumulates + other operations. */
  readonly gigaflops: number;
  /** Bytes read and written, by the kernels' declared costs. */
  readonly bytes: number;
  readonly dispatches: number;
  readonly submits: number;
  /** New in the timed steps, all together: 0 when a step finds everything it needs again. */
  readonly buffersCreated: number;
  readonly bindGroupsCreated: number;
  readonly pipelinesCreated: number;
  /** Most memory handed out at one time, parameters and optimiser included. */
  readonly peakBytes: number;
  /** JavaScript's part of a dispatch, measured while the GPU gets no work. */
  readonly javascriptMicroseconds: number;
  /** The same where the step was recorded before and is replayed. */
  readonly replayMicroseconds: number;
}

/** JavaScript's part of a dispatch. */
type JavascriptTimes = Pick<PhaseMeasurement, 'javascriptMicroseconds' | 'replayMicroseconds'>;

export interface ModelMeasurement {
  readonly phases: readonly PhaseMeasurement[];
  /** Time of a whole step by kernel; absent where the adapter has no timestamps. */
  readonly profile?: string;
}

// The first step compiles, the second still finds buffers of other sizes than it wants.
const WARM_UP_STEPS = 2;
const RECORDED_STEPS = 5;

/** Measures all parts of a step, and the time of a whole step by kernel. Throws when a loss is not finite. */
export async function measureModel(
  runtime: Runtime,
  encoder: EncoderConfig,
  options: ModelOptions,
): Promise<ModelMeasurement> {
  const javascript = await javascriptTimes(runtime, encoder, options);
  const engine = new Engine(runtime);
  const workload = buildWorkload(engine, encoder, options);
  try {
    const measured: PhaseMeasurement[] = [];
    for (const phase of phases) {
      const result = await measurePhase(engine, workload, phase, options);
      measured.push({ ...result, ...javascript.get(phase)! });
    }
    if (!runtime.startProfiling()) return { phases: measured };
    await runStep(engine, workload, 'step');
    return { phases: measured, profile: formatProfile(await runtime.stopProfiling()) };
  } finally {
    workload.release();
    runtime.pool.trim();
  }
}

async function measurePhase(
  engine: Engine,
  workload: Workload,
  phase: Phase,
  { batchSize, steps }: ModelOptions,
): Promise<Omit<PhaseMeasurement, keyof JavascriptTimes>> {
  const { runtime } = engine;
  for (let i = 0; i < WARM_UP_STEPS; i++) await runStep(engine, workload, phase);
  const before = { ...runtime.counters, buffers: runtime.pool.createdBuffers };
  runtime.ledger.reset();
  runtime.pool.resetPeak();
  const times: number[] = [];
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    const { loss, end } = await runStep(engine, workload, phase);
    times.push((end - start) / 1000);
    if (!Number.isFinite(loss)) throw new Error(`the loss of step ${i + 1} (${phase}) is ${loss}`);
  }
  const after = runtime.counters;
  const { macs, flops, bytesRead, bytesWritten } = runtime.ledger.total();
  const seconds = median(times);
  return {
    phase,
    seconds,
    clipsPerSecond: batchSize / seconds,
    gigaflops: (2 * macs + flops) / steps / 1e9,
    bytes: (bytesRead + bytesWritten) / steps,
    dispatches: (after.dispatches - before.dispatches) / steps,
    submits: (after.submits - before.submits) / steps,
    buffersCreated: runtime.pool.createdBuffers - before.buffers,
    bindGroupsCreated: after.bindGroupsCreated - before.bindGroupsCreated,
    pipelinesCreated: after.pipelinesCreated - before.pipelinesCreated,
    peakBytes: runtime.pool.peakBytes,
  };
}

/** One step; the loss is read after the clock has stopped, and its read's submit is among those counted. */
async function runStep(
  engine: Engine,
  workload: Workload,
  phase: Phase,
): Promise<{ readonly loss: number; readonly end: number }> {
  return engine.step(async () => {
    const loss = workload.record(phase);
    await engine.runtime.synchronize();
    const end = performance.now();
    return { loss: await loss.item(), end };
  });
}

/**
 * Microseconds of JavaScript for one dispatch, by phase, while the GPU gets no work: a software GPU would take the
 * processor away from it. Submits are left out.
 */
async function javascriptTimes(
  runtime: Runtime,
  encoder: EncoderConfig,
  options: ModelOptions,
): Promise<Map<Phase, JavascriptTimes>> {
  const recording = recordingRuntime(runtime);
  const engine = new Engine(recording);
  const workload = buildWorkload(engine, encoder, options);
  const { queue } = runtime.device;
  // What was written waits for a submit, and its memory with it: between steps, where no clock runs.
  const settle = async () => {
    queue.submit([]);
    await queue.onSubmittedWorkDone();
  };
  const result = new Map<Phase, JavascriptTimes>();
  for (const phase of phases) {
    result.set(phase, {
      javascriptMicroseconds: await timePerDispatch(engine, () => workload.record(phase), settle),
      replayMicroseconds: await timePerDispatch(engine, () => workload.replay(phase), settle),
    });
  }
  workload.release();
  recording.pool.trim();
  return result;
}

/** Median of several steps, in microseconds. */
async function timePerDispatch(
  engine: Engine,
  record: () => void,
  settle: () => Promise<void>,
): Promise<number> {
  const { runtime } = engine;
  const times: number[] = [];
  for (let i = 0; i < WARM_UP_STEPS + RECORDED_STEPS; i++) {
    await engine.step(async () => {
      const dispatched = runtime.counters.dispatches;
      const start = performance.now();
      record();
      const elapsedUs = 1000 * (performance.now() - start);
      if (i >= WARM_UP_STEPS) times.push(elapsedUs / (runtime.counters.dispatches - dispatched));
      await runtime.synchronize();
      await settle();
    });
  }
  return median(times);
}
