import { paperRuntime, type AdapterSummary, type Precision } from '@tubelet/kernels';
import type { BeginTraining } from '../training/dry-step.js';

/** Adapters on paper. */
export const SOFTWARE: Partial<AdapterSummary> = {
  isSoftware: true,
  subgroupMinSize: 8,
  subgroupMaxSize: 8,
  features: ['subgroups'],
};
export const MATRIX_UNITS: Partial<AdapterSummary> = {
  features: ['subgroups', 'shader-f16', 'chromium-experimental-subgroup-matrix'],
  matrixUnits: [{ componentType: 'f16', resultComponentType: 'f32', m: 16, n: 16, k: 16 }],
};

/** Programs that two steps of each training in turn take on a device that has none yet. */
export async function programsOf(
  adapter: Partial<AdapterSummary>,
  precision: Precision,
  trainings: readonly (readonly [begin: BeginTraining, batchSize: number])[],
): Promise<number[]> {
  const runtime = paperRuntime({ adapter, precision, reads: 'zeros' });
  const counts: number[] = [];
  for (const [begin, batchSize] of trainings) {
    const before = runtime.counters.pipelinesCreated;
    const { step } = begin(runtime, batchSize);
    for (let i = 0; i < 2; i++) await step({ step: i, epoch: 0, stepInEpoch: i });
    counts.push(runtime.counters.pipelinesCreated - before);
  }
  return counts;
}
