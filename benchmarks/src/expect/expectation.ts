import type { ModelName, Task } from '../model/workload.js';
import { devices as publishedDevices, type DeviceCeilings } from './devices.js';
import { CAUTIOUS, EXPECTED, ROOFLINE, stepSeconds, type ProductPrecision } from './expected-time.js';
import type { StepCosts } from './step-costs.js';

/** A model's step at a batch size. */
export interface StepCase {
  readonly model: ModelName;
  readonly task: Task;
  readonly batchSize: number;
}

/** Seconds of a step on one device, by three sets of assumptions. */
export interface DeviceExpectation {
  readonly device: string;
  readonly precision: ProductPrecision;
  /** Nothing can be faster with this precision. */
  readonly rooflineSeconds: number;
  readonly expectedSeconds: number;
  readonly cautiousSeconds: number;
}

/** What a step costs anywhere, and how long it is expected to take where. */
export interface ExpectedStep extends StepCase, Omit<StepCosts, 'dispatches'> {
  readonly dispatches: number;
  /** Of a step in f16. */
  readonly half: Pick<StepCosts, 'bytes' | 'peakBytes'>;
  readonly times: readonly DeviceExpectation[];
  /** Here; absent where nothing was measured. */
  readonly measuredSeconds?: number;
}

/** The expectation of a step on every device, in f32 and, where there are matrix units, in f16. */
export function expectStep(
  { model, task, batchSize }: StepCase,
  costs: Readonly<Record<ProductPrecision, StepCosts>>,
  devices: readonly DeviceCeilings[] = publishedDevices,
): ExpectedStep {
  const times = devices.flatMap((device) => {
    const precisions: ProductPrecision[] =
      device.matrixFlopsPerSecond === undefined ? ['f32'] : ['f32', 'f16'];
    return precisions.map((precision) => ({
      device: device.name,
      precision,
      rooflineSeconds: stepSeconds(costs[precision], device, ROOFLINE, precision),
      expectedSeconds: stepSeconds(costs[precision], device, EXPECTED, precision),
      cautiousSeconds: stepSeconds(costs[precision], device, CAUTIOUS, precision),
    }));
  });
  const { flops, bytes, unfusedBytes, peakBytes, dispatches } = costs.f32;
  const half = { bytes: costs.f16.bytes, peakBytes: costs.f16.peakBytes };
  const counts = { flops, bytes, unfusedBytes, peakBytes, dispatches: dispatches.length, half };
  return { model, task, batchSize, ...counts, times };
}
