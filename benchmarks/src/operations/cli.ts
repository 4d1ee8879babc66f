import { Engine } from '@tubelet/autograd';
import { operationCatalogue, TOLERANCE } from '@tubelet/autograd/lab';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { Command } from 'commander';
import { describeAdapter } from '../shared/adapter.js';
import { openJson } from '../shared/json-output.js';
import { gpuOption } from '../shared/precision.js';
import { positiveInteger, runProgram, UsageError } from '../shared/program.js';
import { textTable } from '@tubelet/trainer/formats';
import { measureOperation, type OperationMeasurement } from './measure-operation.js';

interface Options {
  readonly operation?: readonly string[];
  readonly rounds: number;
  readonly gpu?: number;
  readonly json?: string | true;
}

const program = new Command('bench:operations')
  .description(
    'Compares every operation and its gradients with float64, on small shapes, and times it on large ones: medians of ' +
      'the wall time of calls one by one, forward, and forward and backward. Exit code 1 when an error is too large.',
  )
  .option('--operation <name...>', 'only these operations')
  .option('--rounds <n>', 'calls that are timed', positiveInteger, 5)
  .addOption(gpuOption())
  .option('--json [file]', 'write JSON to a file, or to standard output instead of the table');

await runProgram<Options>(program, async ({ operation: wanted, rounds, gpu, json }) => {
  const all = Object.values(operationCatalogue).flat();
  const unknown = wanted?.find((name) => !all.some((operation) => operation.name === name));
  if (unknown !== undefined) {
    const known = all.map(({ name }) => name).join(', ');
    throw new UsageError(`--operation: there is no operation "${unknown}"; there are: ${known}`);
  }
  const writeJson = openJson(json);
  const runtime = await openNodeRuntime({ gpu });
  try {
    const engine = new Engine(runtime);
    const measurements: OperationMeasurement[] = [];
    for (const operation of all) {
      if (wanted && !wanted.includes(operation.name)) continue;
      console.error(`${operation.name} …`);
      measurements.push(await measureOperation(engine, operation, rounds));
      runtime.pool.trim();
    }
    if (json !== true)
      console.log(`${report(measurements)}\n\n${describeAdapter(runtime.adapter)}; median of ${rounds}.`);
    writeJson({ adapter: runtime.adapter, rounds, measurements });
    const fits = measurements.every(
      ({ errors }) => errors.value < TOLERANCE.value && errors.gradient < TOLERANCE.gradient,
    );
    return fits ? 0 : 1;
  } finally {
    closeNodeRuntime(runtime);
  }
});

function report(measurements: readonly OperationMeasurement[]): string {
  const milliseconds = (seconds: number) => (Number.isNaN(seconds) ? '–' : (1000 * seconds).toFixed(2));
  const rows = measurements.map(({ operation, errors, times }) => [
    operation,
    errors.value.toExponential(1),
    errors.gradient.toExponential(1),
    times ? times.shapes.map((shape) => shape.join('×')).join(', ') : '–',
    times ? milliseconds(times.forward) : '–',
    times ? milliseconds(times.forwardAndBackward) : '–',
  ]);
  const headings = [
    'operation',
    'value error',
    'gradient error',
    'timed shapes',
    'forward ms',
    'and backward ms',
  ];
  return textTable([headings, ...rows], new Set([1, 2, 4, 5]));
}
