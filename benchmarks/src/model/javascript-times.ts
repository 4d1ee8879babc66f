import { Engine, type Tensor } from '@tubelet/autograd';
import { likeRuntime, paperRuntime, type Runtime } from '@tubelet/kernels';
import { median } from '../kernels/batch-timer.js';
import { recordingRuntime } from '../shared/recording-runtime.js';
import { buildWorkload, phases, type ModelRun, type Phase } from './workload.js';

/** JavaScript's part of a step, measured while the GPU gets no work. */
export interface JavascriptTimes {
  /** Of a dispatch, where every step is worked out anew. */
  readonly javascriptMicroseconds: number;
  /** Of a dispatch, where the step was recorded before and is replayed. */
  readonly replayMicroseconds: number;
  /** What of that is left on a device whose methods do nothing: without the bindings of WebGPU. */
  readonly ownMicroseconds: number;
  /** Of a step: its inputs handed to the queue, which copies them. */
  readonly uploadMilliseconds: number;
}

/** Adds up the time that data takes on its way to the queue. */
class UploadClock {
  milliseconds = 0;

  constructor(runtime: Runtime) {
    for (const name of ['write', 'upload'] as const) {
      const original = runtime[name].bind(runtime) as (...given: unknown[]) => never;
      const timed = (...given: unknown[]) => {
        const start = performance.now();
        const result = original(...given);
        this.milliseconds += performance.now() - start;
        return result;
      };
      Object.assign(runtime, { [name]: timed });
    }
  }
}

// The first step compiles, the second still finds buffers of other sizes than it wants.
const WARM_UP_STEPS = 2;
const RECORDED_STEPS = 5;
const OWN_ROUNDS = 5;

/**
 * Microseconds of JavaScript for one dispatch, by phase, and milliseconds for the inputs of a step, while the GPU gets
 * no work: a software GPU would take the processor away from it. Submits are left out.
 */
export async function javascriptTimes(runtime: Runtime, run: ModelRun): Promise<Map<Phase, JavascriptTimes>> {
  const own = await ownMicroseconds(runtime, run);
  const recording = recordingRuntime(runtime);
  const uploads = new UploadClock(recording);
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
    const recorded = await timeSteps(engine, uploads, () => workload.record(phase), settle);
    const replayed = await timeSteps(engine, uploads, () => workload.replay(phase), settle);
    result.set(phase, {
      javascriptMicroseconds: recorded.dispatchMicroseconds,
      replayMicroseconds: replayed.dispatchMicroseconds,
      ownMicroseconds: own.get(phase)!,
      uploadMilliseconds: replayed.uploadMilliseconds,
    });
  }
  workload.release();
  recording.pool.trim();
  return result;
}

async function ownMicroseconds(runtime: Runtime, run: ModelRun): Promise<Map<Phase, number>> {
  const paper = paperRuntime(likeRuntime(runtime));
  for (const [kernel, variant] of runtime.forcedVariants) paper.forcedVariants.set(kernel, variant);
  const uploads = new UploadClock(paper);
  const engine = new Engine(paper);
  const workload = buildWorkload(engine, run.encoder, run);
  const result = new Map<Phase, number>();
  // A loop of a few microseconds: the first rounds time the compiler.
  for (let round = 0; round < OWN_ROUNDS; round++) {
    for (const phase of phases) {
      const replayed = await timeSteps(
        engine,
        uploads,
        () => workload.replay(phase),
        async () => undefined,
      );
      result.set(phase, replayed.dispatchMicroseconds);
    }
  }
  return result;
}

/** Medians of several steps. */
async function timeSteps(
  engine: Engine,
  uploads: UploadClock,
  record: () => Tensor | Promise<Tensor>,
  settle: () => Promise<void>,
): Promise<{ readonly dispatchMicroseconds: number; readonly uploadMilliseconds: number }> {
  const { runtime } = engine;
  const dispatchTimes: number[] = [];
  const uploadTimes: number[] = [];
  for (let i = 0; i < WARM_UP_STEPS + RECORDED_STEPS; i++) {
    await engine.step(async () => {
      const dispatched = runtime.counters.dispatches;
      const uploadedMs = uploads.milliseconds;
      const start = performance.now();
      // All that it does is done when it returns.
      const recorded = record();
      const elapsedMs = performance.now() - start;
      await recorded;
      if (i >= WARM_UP_STEPS) {
        const uploadMs = uploads.milliseconds - uploadedMs;
        uploadTimes.push(uploadMs);
        dispatchTimes.push((1000 * (elapsedMs - uploadMs)) / (runtime.counters.dispatches - dispatched));
      }
      await runtime.synchronize();
      await settle();
    });
  }
  return { dispatchMicroseconds: median(dispatchTimes), uploadMilliseconds: median(uploadTimes) };
}
