import { OutOfMemoryError, type Precision, type Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, NoAdapterError } from '@tubelet/kernels/node';
import { measureRoofline } from '../kernels/roofline.js';
import { measureStep } from '../model/measure-model.js';
import { encoders, type ModelName, type Task } from '../model/workload.js';
import { describeAdapter } from '../shared/adapter.js';
import { openJson, openText } from '../shared/json-output.js';
import { openInPrecision, type OpenInPrecisionOptions } from '../shared/precision.js';
import { UsageError } from '../shared/program.js';
import { devices as published, knownDevice, type DeviceCeilings } from './devices.js';
import { expectStep, type ExpectedStep } from './expectation.js';
import {
  assumptionLines,
  expectedSpeedPage,
  formatCosts,
  formatMeasured,
  formatTimes,
  loadPrettier,
} from './report.js';
import { stepCosts } from './step-costs.js';

export interface ExpectOptions {
  readonly models: readonly ModelName[];
  readonly tasks: readonly Task[];
  readonly batchSizes: readonly number[];
  /** Timed steps, where there is a GPU to time. */
  readonly steps: number;
  /** Of the steps that are timed. */
  readonly precision: Precision;
  /** Which of several GPUs. */
  readonly gpu?: number;
  readonly json?: string | true;
  readonly page?: string;
}

/** `bench:model --expect`: says what steps take on paper, and on a real GPU measures them beside it. */
export async function expectModels({
  models,
  tasks,
  batchSizes,
  steps,
  precision,
  gpu,
  json,
  page,
}: ExpectOptions): Promise<number> {
  // Before files are opened, which empties them.
  if (page !== undefined) await loadPrettier();
  const writeJson = openJson(json);
  const writePage = openText('--page', page);
  const runtime = await realGpu({ precision, gpu });
  const here = runtime && (knownDevice(runtime.adapter) ?? (await measuredDevice(runtime)));
  if (here && precision === 'f16' && here.matrixFlopsPerSecond === undefined) {
    throw new UsageError(
      `--precision f16: nothing is published here of matrix units of ${describeAdapter(runtime.adapter)} that could ` +
        'be expected of them',
    );
  }
  const devices = here && !published.includes(here) ? [...published, here] : published;
  const expected: ExpectedStep[] = [];
  for (const model of models) {
    for (const task of tasks) {
      for (const batchSize of batchSizes) {
        const encoder = encoders[model];
        const run = { task, batchSize };
        const costs = {
          f32: await stepCosts(encoder, run),
          f16: await stepCosts(encoder, run, { precision: 'f16' }),
        };
        const step = expectStep({ model, ...run }, costs, devices);
        if (!runtime) {
          expected.push(step);
          continue;
        }
        console.error(`measuring ${model}, ${task}, ${batchSize} clips …`);
        const measuredSeconds = await measured(() =>
          measureStep(runtime, { encoder, task, batchSize }, { steps }),
        );
        expected.push({ ...step, ...(measuredSeconds === undefined ? {} : { measuredSeconds }) });
      }
    }
  }
  if (json !== true) print(expected, runtime, here, precision);
  if (page !== undefined) writePage(await expectedSpeedPage(expected, published));
  writeJson({
    adapter: runtime?.adapter ?? null,
    devices,
    assumptions: assumptionLines(),
    precision,
    steps: expected,
  });
  if (runtime) closeNodeRuntime(runtime);
  return 0;
}

function print(
  expected: readonly ExpectedStep[],
  runtime: Runtime | undefined,
  here: DeviceCeilings | undefined,
  precision: Precision,
): void {
  console.log(`What a step consists of, on any machine\n\n${formatCosts(expected)}`);
  console.log(`\nMilliseconds of a step in f32\n\n${formatTimes(expected, 'f32')}`);
  console.log(`\nMilliseconds of a step with f16 on matrix units\n\n${formatTimes(expected, 'f16')}`);
  console.log(`\n${assumptionLines().join('\n')}`);
  if (runtime && here) {
    console.log(
      `\nMeasured here: ${describeAdapter(runtime.adapter)}, in ${precision}\n\n${formatMeasured(expected, here.name, precision)}`,
    );
  } else {
    console.log('\nThere is no real GPU here: nothing was measured.');
  }
}

/** A GPU that is worth timing; undefined where there is none, or only one of software. */
async function realGpu(options: OpenInPrecisionOptions): Promise<Runtime | undefined> {
  try {
    return await openInPrecision(options, ({ isSoftware }) => !isSoftware);
  } catch (error) {
    if (error instanceof NoAdapterError) return undefined;
    throw error;
  }
}

/** A GPU that is not among the published ones, by what it reaches on a loop of multiply–adds and a large copy. */
async function measuredDevice(runtime: Runtime): Promise<DeviceCeilings> {
  const { gigaflopsPerSecond, gigabytesPerSecond } = await measureRoofline(runtime, {
    rounds: 5,
    batchMs: 50,
  });
  return {
    name: 'this GPU',
    matches: /^$/,
    f32FlopsPerSecond: 1e9 * gigaflopsPerSecond,
    bytesPerSecond: 1e9 * gigabytesPerSecond,
    // WebGPU does not tell how many there are: no unit is taken to idle.
    computeUnits: 1,
    dispatchSeconds: 4e-6,
    source: 'measured',
  };
}

/** What a measurement gives; undefined, and said, where the GPU has no room for it. */
async function measured(measure: () => Promise<number>): Promise<number | undefined> {
  try {
    return await measure();
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error;
    console.error(`not measured: ${error.message}`);
    return undefined;
  }
}
