import type { Runtime } from '@tubelet/kernels';

/** How the time of a kernel is taken. */
export type TimingMethod = 'timestamps' | 'wall time over repeated dispatches';

/**
 * Timestamps where the GPU has them: they leave out what JavaScript and the queue cost. A software adapter's are
 * taken while other dispatches share its cores, so there the clock on the wall is the better one.
 */
export function timingMethod(runtime: Runtime): TimingMethod {
  const stamped = runtime.hasFeature('timestamp-query') && !runtime.adapter.isSoftware;
  return stamped ? 'timestamps' : 'wall time over repeated dispatches';
}

/** Seconds of one `run`, from `repetitions` of them in a row. */
export async function timeBatch(
  runtime: Runtime,
  method: TimingMethod,
  run: () => void,
  repetitions: number,
): Promise<number> {
  await runtime.synchronize();
  if (method === 'timestamps') {
    runtime.startProfiling();
    for (let i = 0; i < repetitions; i++) run();
    const entries = await runtime.stopProfiling();
    return entries.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000 / repetitions;
  }
  const start = performance.now();
  for (let i = 0; i < repetitions; i++) run();
  await runtime.synchronize();
  return (performance.now() - start) / 1000 / repetitions;
}

/** Repetitions that fill about `batchMs`, after a warm-up that compiles. */
export async function calibrate(runtime: Runtime, run: () => void, batchMs: number): Promise<number> {
  run();
  await runtime.synchronize();
  const method = 'wall time over repeated dispatches';
  const first = 1000 * (await timeBatch(runtime, method, run, 1));
  if (first >= batchMs) return 1;
  const several = Math.min(16, Math.ceil(batchMs / first));
  const better = 1000 * (await timeBatch(runtime, method, run, several));
  return Math.max(1, Math.min(1000, Math.round(batchMs / better)));
}

/** Middle value; the mean of the two middle ones when their number is even. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of no values does not exist');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
