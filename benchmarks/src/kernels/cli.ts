import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { canHold, kernelCatalogue } from '@tubelet/kernels/lab';
import { Command } from 'commander';
import { describeAdapter } from '../shared/adapter.js';
import { openJson } from '../shared/json-output.js';
import { gpuOption } from '../shared/precision.js';
import { positiveInteger, runProgram, UsageError } from '../shared/program.js';
import { timingMethod } from './batch-timer.js';
import { formatComparisons, measureBeside } from './beside.js';
import type { MeasureOptions } from './measure-case.js';
import { measureKernels } from './measure-kernels.js';
import { formatRows } from './report.js';

interface Options {
  readonly kernel?: readonly string[];
  readonly json?: string | true;
  readonly quick?: true;
  readonly rounds?: number;
  readonly matrixUnits?: true;
  readonly chosen?: true;
  readonly gpu?: number;
  readonly beside?: string;
}

const thorough: MeasureOptions = { rounds: 9, batchMs: 60, referenceMacs: 1e9 };
const quick: MeasureOptions = { rounds: 3, batchMs: 10, referenceMacs: 3e7 };

const program = new Command('bench:kernels')
  .description(
    "Times every kernel and every variant that the adapter can run at the model's shapes: median of interleaved " +
      'batches, beside the ceilings of arithmetic and memory that the same run measures. Results are checked against ' +
      'the float64 reference, or another variant where that would take too long. Exit code 1 when one is wrong.',
  )
  .option('--kernel <name...>', 'only these kernels')
  .option('--quick', 'fewer and shorter batches, fewer float64 references: figures are rougher')
  .option('--rounds <n>', 'batches of each variant', positiveInteger)
  .option(
    '--matrix-units',
    'ask for matrix units too, so that variants which round to f16 are timed where the adapter has them; they are ' +
      'checked against what rounded inputs give',
  )
  .option(
    '--chosen',
    'only what programs take on this adapter, for the shape; with --matrix-units, in training with `--precision f16`',
  )
  .option(
    '--beside <folder>',
    'take every batch in turn with the same benchmark of another checkout, built there, and say how they compare; ' +
      'with what each of them chooses, as --chosen does',
  )
  .addOption(gpuOption())
  .option('--json [file]', 'write JSON to a file, or to standard output instead of the table');

async function run(options: Options): Promise<number> {
  const specs = selectKernels(options.kernel);
  const writeJson = openJson(options.json);
  const base = options.quick ? quick : thorough;
  const settings = { ...base, rounds: options.rounds ?? base.rounds };
  if (options.beside !== undefined) {
    const args = [
      ...(options.kernel ? ['--kernel', ...options.kernel] : []),
      ...(options.quick ? ['--quick'] : []),
      ...(options.rounds === undefined ? [] : ['--rounds', String(options.rounds)]),
      ...(options.matrixUnits ? ['--matrix-units'] : []),
      ...(options.gpu === undefined ? [] : ['--gpu', String(options.gpu)]),
    ];
    const result = await measureBeside(options.beside, args);
    if (options.json !== true) console.log(formatComparisons(result));
    writeJson({ settings, ...result });
    return 0;
  }
  const runtime = await openNodeRuntime({ matrixUnits: options.matrixUnits ?? false, gpu: options.gpu });
  if (options.chosen && options.matrixUnits) runtime.precision = 'f16';
  try {
    const cases = specs.flatMap((spec) =>
      spec.cases
        .filter(({ kind, shape }) => kind === 'model' && canHold(runtime, spec, shape))
        .map((testCase) => ({ spec, testCase })),
    );
    const { roofline, rows } = await measureKernels(runtime, cases, {
      ...settings,
      chosen: options.chosen ?? false,
      around: ({ spec, testCase }, measure) => {
        console.error(`${spec.name}: ${testCase.name} …`);
        return measure();
      },
    });
    const method = timingMethod(runtime);
    if (options.json !== true) {
      console.log(formatRows(rows));
      console.log(
        `\n${describeAdapter(runtime.adapter)}; ceilings: ${roofline.gigaflopsPerSecond.toFixed(1)} GFLOP/s, ` +
          `${roofline.gigabytesPerSecond.toFixed(1)} GB/s; ${method}, median of ${settings.rounds}.`,
      );
      const unmeasured = specs.filter((spec) => !rows.some((row) => row.kernel === spec.name));
      if (unmeasured.length > 0) {
        console.log(`No case at the model's shapes: ${unmeasured.map((spec) => spec.name).join(', ')}.`);
      }
    }
    writeJson({ adapter: runtime.adapter, method, settings, roofline, rows });
    const wrong = rows.filter(({ check }) => !check.passed);
    for (const { kernel, case: name, variant, check } of wrong)
      console.error(`${kernel}, ${name}, ${variant}: off by ${check.error}, tolerance ${check.tolerance}`);
    return wrong.length === 0 ? 0 : 1;
  } finally {
    closeNodeRuntime(runtime);
  }
}

function selectKernels(names: readonly string[] | undefined) {
  if (!names) return kernelCatalogue;
  return names.map((name) => {
    const spec = kernelCatalogue.find((candidate) => candidate.name === name);
    const known = kernelCatalogue.map((candidate) => candidate.name).join(', ');
    if (!spec) throw new UsageError(`--kernel: there is no kernel "${name}"; there are: ${known}`);
    return spec;
  });
}

await runProgram(program, run);
