import { Engine } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import { median } from '../kernels/batch-timer.js';
import { recordingRuntime } from '../shared/recording-runtime.js';
import { buildWorkload, phases, type ModelRun, type Phase } from './workload.js';

/** JavaScript's part of a dispatch. */
export interface JavascriptTimes {
  /** Measured while the GPU gets no work. */
  readonly javascriptMicroseconds: number;
  /** The same where the step was recorded before and is replayed. */
  readonly replayMicroseconds: number;
}

// The first step compiles, the second still finds buffers of other sizes than it wants.
const WARM_UP_STEPS = 2;
const RECORDED_STEPS = 5;

/**
 * Microseconds of JavaScript for one dispatch, by phase, while the GPU gets no work: a software GPU would take the
 * processor away from it. Submits are left out.
 */
export async function javascriptTimes(runtime: Runtime, run: ModelRun): Promise<Map<Phase, JavascriptTimes>> {
  const recording = recordingRuntime(runtime);
  const engine = new Engine(recording);
  const workload = buildWorkload(engine, run.encoder, run);
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
