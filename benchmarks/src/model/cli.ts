import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { Command, Option } from 'commander';
import { describeAdapter } from '../shared/adapter.js';
import { openJson } from '../shared/json-output.js';
import { positiveInteger, runProgram } from '../shared/program.js';
import { measureModel } from './measure-model.js';
import { formatModels, formatRatios, type ModelRow } from './report.js';
import { encoders, type ModelName, type Task } from './workload.js';

interface Options {
  readonly model: readonly ModelName[];
  readonly task: readonly Task[];
  readonly batchSize: number;
  readonly steps: number;
  readonly json?: string | true;
}

const program = new Command('bench:model')
  .description(
    'Measures forward, forward + backward and a whole step (with AdamW) of pre-training (mask 0.9) and fine-tuning ' +
      '(7 classes, no stochastic depth) on 16×160×160 clips: medians after a warm-up, counts of one step in steady ' +
      'state, and the time of a step by kernel where the adapter has timestamps.',
  )
  .addOption(new Option('--model <name...>', 'which models').choices(Object.keys(encoders)).default(['base']))
  .addOption(
    new Option('--task <name...>', 'which tasks')
      .choices(['pretrain', 'finetune'])
      .default(['pretrain', 'finetune']),
  )
  .option('--batch-size <n>', 'clips in a step', positiveInteger, 1)
  .option('--steps <n>', 'timed steps', positiveInteger, 5)
  .option('--json [file]', 'write JSON to a file, or to standard output instead of the table');

async function run({ model: models, task: tasks, json, ...sizes }: Options): Promise<number> {
  const writeJson = openJson(json);
  const runtime = await openNodeRuntime();
  try {
    const rows: ModelRow[] = [];
    for (const model of models) {
      for (const task of tasks) {
        console.error(`${model}, ${task} …`);
        const measured = await measureModel(runtime, encoders[model], { task, ...sizes });
        rows.push({ model, task, batchSize: sizes.batchSize, ...measured });
        const parts = measured.phases.map(({ phase, seconds }) => `${phase} ${seconds.toFixed(2)} s`);
        console.error(`  ${parts.join(', ')}`);
      }
    }
    if (json !== true) print(rows, sizes, describeAdapter(runtime.adapter));
    writeJson({ adapter: runtime.adapter, ...sizes, rows });
    return 0;
  } finally {
    closeNodeRuntime(runtime);
  }
}

function print(
  rows: readonly ModelRow[],
  sizes: { batchSize: number; steps: number },
  adapter: string,
): void {
  console.log(formatModels(rows));
  for (const line of formatRatios(rows)) console.log(line);
  console.log(`${adapter}; ${sizes.batchSize} clips a step, median of ${sizes.steps} steps.`);
  for (const { model, task, profile } of rows) {
    if (profile)
      console.log(`\n${model}, ${task}: one step by kernel, each in a pass of its own\n${profile}`);
  }
}

await runProgram(program, run);
