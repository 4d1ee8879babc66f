import { type GpuArray, type Runtime } from '@tubelet/kernels';
import { calibrate, timeBatch, timingMethod } from './batch-timer.js';
import copyWgsl from './copy.wgsl';
import fmaWgsl from './fma.wgsl';

/** What the adapter reached on the two things that bound every kernel. */
export interface Roofline {
  /** Floating-point operations (a multiply–add is two) of the best f32 loop. */
  readonly gigaflopsPerSecond: number;
  /** Bytes read plus bytes written of a large copy. */
  readonly gigabytesPerSecond: number;
}

/** Multiply–adds of one step of one invocation: three chains of four links of four components. */
export const FMA_PER_STEP = 48;
const FMA_WORKGROUP = 64;
const COPY_WORKGROUP = 256;

/** results[i] = what `fma.wgsl` says, for as many invocations as `results` has elements (a multiple of 64). */
export function runFma(
  runtime: Runtime,
  inputs: GpuArray,
  results: GpuArray,
  { steps, useFma }: { steps: number; useFma: boolean },
): void {
  const macs = results.size * steps * FMA_PER_STEP;
  runtime.run({
    kernel: 'benchmark-fma',
    wgsl: [fmaWgsl],
    constants: { USE_FMA: useFma },
    data: { STEPS: steps },
    arrays: { inputs, results },
    workgroups: [results.size / FMA_WORKGROUP],
    cost: { macs, flops: 0, bytesRead: 8, bytesWritten: results.sizeBytes },
  });
}

/** Copies f32 arrays of one size, a multiple of 4. */
export function runCopy(runtime: Runtime, source: GpuArray, copied: GpuArray): void {
  const count = source.size / 4;
  const grid = runtime.linearGrid(Math.ceil(count / COPY_WORKGROUP));
  runtime.run({
    kernel: 'benchmark-copy',
    wgsl: [copyWgsl],
    data: { COUNT: count, GRID_X: grid[0] },
    arrays: { source, copied },
    workgroups: grid,
    cost: { macs: 0, flops: 0, bytesRead: source.sizeBytes, bytesWritten: copied.sizeBytes },
  });
}

// An idle H100 runs at a sixth of its clock, and takes a while of work to leave that.
const CLOCK_RAISING_MS = 200;

/** Keeps a real GPU busy until its clocks are those of a program at work; nothing on a software adapter. */
export async function raiseClocks(runtime: Runtime): Promise<void> {
  if (runtime.adapter.isSoftware) return;
  await runtime.scope(async () => {
    const inputs = runtime.upload(new Float32Array([0.999, 0.001]), [2]);
    const results = runtime.empty([1 << 20]);
    const start = performance.now();
    while (performance.now() - start < CLOCK_RAISING_MS) {
      runFma(runtime, inputs, results, { steps: 1024, useFma: true });
      await runtime.synchronize();
    }
  });
}

/** Measures both ceilings: the best of several batches, since a ceiling is what can be reached at all. */
export async function measureRoofline(
  runtime: Runtime,
  { rounds, batchMs }: { rounds: number; batchMs: number },
): Promise<Roofline> {
  const { isSoftware } = runtime.adapter;
  const method = timingMethod(runtime);
  await raiseClocks(runtime);
  const best = async (run: () => void): Promise<number> => {
    const repetitions = await calibrate(runtime, run, batchMs);
    let seconds = Infinity;
    for (let i = 0; i < Math.max(rounds, 5); i++) {
      seconds = Math.min(seconds, await timeBatch(runtime, method, run, repetitions));
    }
    return seconds;
  };
  return runtime.scope(async () => {
    const inputs = runtime.upload(new Float32Array([0.999, 0.001]), [2]);
    // Enough invocations for every lane of the largest GPUs; a processor has few lanes.
    const results = runtime.empty([isSoftware ? 1 << 12 : 1 << 20]);
    const steps = 1024;
    const flops = 2 * FMA_PER_STEP * steps * results.size;
    const fused = await best(() => runFma(runtime, inputs, results, { steps, useFma: true }));
    const separate = await best(() => runFma(runtime, inputs, results, { steps, useFma: false }));
    // Larger than any cache, within every adapter's limit for one binding.
    const source = runtime.empty([isSoftware ? 1 << 24 : 1 << 25]);
    runtime.clear(source);
    const copied = runtime.empty(source.shape);
    const copy = await best(() => runCopy(runtime, source, copied));
    return {
      gigaflopsPerSecond: flops / Math.min(fused, separate) / 1e9,
      gigabytesPerSecond: (2 * source.sizeBytes) / copy / 1e9,
    };
  });
}
