import { Engine, GradientReduction } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import { EpochReader, trainingStep, type StepSurroundings } from '@tubelet/trainer';
import { median } from '../kernels/batch-timer.js';
import { buildWorkload, type ModelRun } from '../model/workload.js';

/** How gradients are summed over ranks: not at all, when all of them are complete, or in buckets beside the rest. */
export const forms = ['alone', 'after', 'beside'] as const;
export type Form = (typeof forms)[number];

/** A network between ranks, which takes time and no processor. */
export interface Wire {
  readonly megabytesPerSecond: number;
  readonly latencyMs: number;
}

export interface OverlapResult {
  readonly form: Form;
  /** Medians over the timed steps. */
  readonly stepMs: number;
  readonly sumsMs: number;
  readonly waitedMs: number;
}

const WARM_UP_STEPS = 3;

/** Sums that take as long as the wire needs for them, one after the other; the values stay as they are. */
function overWire({ megabytesPerSecond, latencyMs }: Wire) {
  let free = 0;
  return async (values: Float32Array, sums: Float32Array): Promise<void> => {
    const now = performance.now();
    free = Math.max(now, free) + latencyMs + values.byteLength / (megabytesPerSecond * 1e3);
    await new Promise((resolve) => setTimeout(resolve, free - now));
    sums.set(values);
  };
}

/** Steps of a model as one of several ranks takes them, whose sums go over a wire. */
export async function measureOverlap(
  runtime: Runtime,
  run: ModelRun,
  form: Form,
  options: { readonly wire: Wire; readonly bucketBytes: number; readonly steps: number },
): Promise<OverlapResult> {
  const workload = buildWorkload(new Engine(runtime), run.encoder, run);
  const { trained } = workload;
  const bucketBytes = form === 'after' ? Infinity : options.bucketBytes;
  const reduction =
    form === 'alone'
      ? undefined
      : new GradientReduction(trained.store, overWire(options.wire), { bucketBytes });
  const shared = reduction && { reduction, ranks: { size: 2 }, meanOf: async (losses: number[]) => losses };
  async function* endless() {
    for (let batch = 0; ; batch++) yield batch;
  }
  const reader = new EpochReader({ stepsPerEpoch: Number.MAX_SAFE_INTEGER, epoch: endless }, 1);
  try {
    const take = trainingStep(trained, reader, 1, {
      shared: shared as unknown as StepSurroundings<number>['shared'],
    });
    const [steps, sums, waits]: [number[], number[], number[]] = [[], [], []];
    for (let step = 0; step < WARM_UP_STEPS + options.steps; step++) {
      const begin = performance.now();
      const pending = await take({ step, epoch: 0, stepInEpoch: step }, 1e-6);
      const metrics = await pending.settle();
      if (step < WARM_UP_STEPS) continue;
      steps.push(performance.now() - begin);
      sums.push(Number(metrics['communication/ms'] ?? 0));
      waits.push(Number(metrics['communication/waited ms'] ?? 0));
    }
    return { form, stepMs: median(steps), sumsMs: median(sums), waitedMs: median(waits) };
  } finally {
    await reader.close();
    reduction?.release();
    workload.release();
    runtime.pool.trim();
  }
}
