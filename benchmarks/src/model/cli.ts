import type { Precision } from '@tubelet/kernels';
import { closeNodeRuntime } from '@tubelet/kernels/node';
import { Command, Option } from 'commander';
import { expectModels } from '../expect/command.js';
import { describeAdapter } from '../shared/adapter.js';
import { openJson, openText } from '../shared/json-output.js';
import { gpuOption, openInPrecision, precisionOption } from '../shared/precision.js';
import { positiveInteger, runProgram, UsageError } from '../shared/program.js';
import { formatComparisons, measureBeside } from './beside.js';
import { modelChart } from './chart.js';
import { measureModels } from './measure-model.js';
import { measureTrainer } from './measure-trainer.js';
import {
  formatModels,
  formatRatios,
  formatTrainer,
  modelRatios,
  type ModelRow,
  type TrainerRow,
} from './report.js';
import { encoders, type ModelName, type Task } from './workload.js';

interface Options {
  readonly models?: readonly ModelName[];
  readonly tasks: readonly Task[];
  readonly batchSizes?: readonly number[];
  readonly steps: number;
  readonly recompute?: true;
  readonly trainer?: true;
  readonly beside?: string;
  readonly precision: Precision;
  readonly gpu?: number;
  readonly json?: string | true;
  readonly svg?: string;
  readonly expect?: true;
  readonly page?: string;
}

const modelNames = Object.keys(encoders) as ModelName[];

const program = new Command('bench:model')
  .description(
    'Measures forward, forward + backward and a whole step (with AdamW) of pre-training (mask 0.9) and fine-tuning ' +
      '(7 classes, no stochastic depth) on 16×160×160 clips: medians after a warm-up, counts of one step in steady ' +
      'state, and the time of a step by kernel where the adapter has timestamps. All models of a task and batch size ' +
      'are in memory at once and take their steps in turn.',
  )
  .addOption(
    new Option('--models <name...>', 'which models (default: base; all with --expect)').choices(modelNames),
  )
  .addOption(
    new Option('--tasks <name...>', 'which tasks')
      .choices(['pretrain', 'finetune'])
      .default(['pretrain', 'finetune']),
  )
  .option(
    '--batch-sizes <n...>',
    'clips in a step (default: 1; 1 8 32 with --expect)',
    (text: string, before: readonly number[] = []) => [...before, positiveInteger(text)],
  )
  .option('--steps <n>', 'timed steps', positiveInteger, 5)
  .option(
    '--trainer',
    'measure instead whole steps as a run takes them, without its decoding, beside the same steps one at a time',
  )
  .option(
    '--beside <folder>',
    'take every step in turn with the same benchmark of another checkout, built there, and say how they compare',
  )
  .option(
    '--recompute',
    'take steps as training with `--recompute` does: blocks run again in the backward pass',
  )
  .addOption(
    precisionOption(
      'f16: take steps as training with `--precision f16` does, on matrix units; with --expect, measure those beside what is ' +
        'expected of them',
    ),
  )
  .addOption(gpuOption())
  .option('--json [file]', 'write JSON to a file, or to standard output instead of the table')
  .option('--svg <file>', 'draw the steps’ clips a second')
  .option(
    '--expect',
    'say instead what a step takes on other GPUs, on paper, from its operations and bytes and what makers publish; on ' +
      'a real GPU measure the steps beside it',
  )
  .option('--page <file>', 'with --expect: write the tables and the assumptions as a page');

async function run(options: Options): Promise<number> {
  const { models, tasks, batchSizes, steps, precision, gpu, page } = options;
  if (options.beside !== undefined) return compare(options.beside, options);
  if (options.expect) {
    if (options.svg !== undefined) throw new UsageError('--svg: draws what was measured, not with --expect');
    if (options.trainer) throw new UsageError('--trainer: measures steps of a run, not with --expect');
    if (options.recompute)
      throw new UsageError('--recompute: is for steps that are measured, not with --expect');
    const selection = { models: models ?? modelNames, tasks, batchSizes: batchSizes ?? [1, 8, 32] };
    return expectModels({ ...selection, steps, precision, gpu, json: options.json, page });
  }
  if (page !== undefined) throw new UsageError('--page: is written with --expect only');
  if (options.trainer && options.svg !== undefined)
    throw new UsageError('--svg: draws the parts of a step, not with --trainer');
  const selection = { ...options, models: models ?? (['base'] as const), batchSizes: batchSizes ?? [1] };
  return options.trainer ? measureRuns(selection) : measure(selection);
}

async function compare(folder: string, options: Options): Promise<number> {
  const { models = ['base'], tasks, batchSizes = [1], steps } = options;
  const { precision, recompute = false, gpu, json } = options;
  for (const other of ['expect', 'trainer', 'svg', 'page'] as const)
    if (options[other] !== undefined) throw new UsageError(`--beside: does not go with --${other}`);
  const writeJson = openJson(json);
  const args = [
    ...['--models', ...models, '--tasks', ...tasks, '--batch-sizes', ...batchSizes.map(String)],
    ...['--steps', String(steps), ...(recompute ? ['--recompute'] : [])],
    ...(precision === 'f16' ? ['--precision', precision] : []),
    ...(gpu === undefined ? [] : ['--gpu', String(gpu)]),
  ];
  const comparisons = await measureBeside(folder, args);
  if (json !== true) {
    console.log(formatComparisons(comparisons));
    console.log(`Medians of ${steps} steps, taken in turn with those of ${folder}.`);
  }
  writeJson({ steps, recompute, precision, comparisons });
  return 0;
}

async function measureRuns(
  options: Options & Required<Pick<Options, 'models' | 'batchSizes'>>,
): Promise<number> {
  const { models, tasks, batchSizes, steps, recompute = false, precision, json } = options;
  const writeJson = openJson(json);
  const runtime = await openInPrecision(options);
  try {
    const rows: TrainerRow[] = [];
    for (const task of tasks) {
      for (const batchSize of batchSizes) {
        for (const model of models) {
          console.error(`${task}, ${batchSize} clips: ${model} …`);
          const run = { encoder: encoders[model], task, batchSize, recompute };
          rows.push({
            model,
            task,
            batchSize,
            ...(await measureTrainer(runtime, run, { rounds: 4, steps })),
          });
        }
      }
    }
    if (json !== true) {
      console.log(formatTrainer(rows));
      console.log(`${describeAdapter(runtime.adapter)}; medians of 4 turns of ${steps} steps each.`);
    }
    writeJson({ adapter: runtime.adapter, steps, recompute, precision, rows });
    return 0;
  } finally {
    closeNodeRuntime(runtime);
  }
}

async function measure(options: Options & Required<Pick<Options, 'models' | 'batchSizes'>>): Promise<number> {
  const { models, tasks, batchSizes, steps, recompute = false, precision, json, svg } = options;
  const writeJson = openJson(json);
  const writeSvg = openText('--svg', svg);
  const runtime = await openInPrecision(options);
  try {
    const rows: ModelRow[] = [];
    for (const task of tasks) {
      for (const batchSize of batchSizes) {
        console.error(`${task}, ${batchSize} clips: ${models.join(', ')} …`);
        const runs = models.map((model) => ({ encoder: encoders[model], task, batchSize, recompute }));
        const measured = await measureModels(runtime, runs, { steps });
        measured.forEach((one, i) => rows.push({ model: models[i]!, task, batchSize, ...one }));
      }
    }
    const adapter = describeAdapter(runtime.adapter);
    if (json !== true) print(rows, { steps, recompute, precision }, adapter);
    writeSvg(modelChart(rows, adapter));
    writeJson({ adapter: runtime.adapter, steps, recompute, precision, rows, ratios: modelRatios(rows) });
    return 0;
  } finally {
    closeNodeRuntime(runtime);
  }
}

function print(
  rows: readonly ModelRow[],
  {
    steps,
    recompute,
    precision,
  }: { readonly steps: number; readonly recompute: boolean; readonly precision: Precision },
  adapter: string,
): void {
  console.log(formatModels(rows));
  for (const line of formatRatios(rows)) console.log(line);
  console.log(`${adapter}; median of ${steps} steps, taken in turn by the models of a task and batch size.`);
  if (precision === 'f16') console.log('Products of f16 on matrix units, under a dynamic loss scale.');
  if (recompute) console.log('Blocks run again in the backward pass instead of keeping what they make.');
  for (const { model, task, batchSize, profile } of rows) {
    if (profile === undefined) continue;
    console.log(
      `\n${model}, ${task}, ${batchSize} clips: one step by kernel, each in a pass of its own\n${profile}`,
    );
  }
}

await runProgram(program, run);
