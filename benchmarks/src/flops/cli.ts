import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { Command } from 'commander';
import { describeAdapter } from '../shared/adapter.js';
import { openJson } from '../shared/json-output.js';
import { runProgram } from '../shared/program.js';
import { paperRows } from './paper-rows.js';
import { recordingRuntime } from '../shared/recording-runtime.js';
import { flopsReport, formatFlops } from './report.js';

interface Options {
  readonly json?: string | true;
  readonly execute: boolean;
}

const program = new Command('bench:flops')
  .description(
    '#Params and FLOPs of one 16×160×160 clip through the classifier (7 classes), from the cost ledger of a ' +
      'forward pass, beside the numbers of the paper. A multiply–accumulate counts as one, layer norm as five an ' +
      'element, all else as nothing. Exit code 1 when a row differs at the printed decimal.',
  )
  .option('--json [file]', 'write JSON to a file, or to standard output instead of the table')
  .option('--no-execute', 'record the passes without handing them to the GPU: seconds instead of minutes');

async function run({ json, execute }: Options): Promise<number> {
  const writeJson = openJson(json);
  const start = performance.now();
  const device = await openNodeRuntime();
  const runtime = execute ? device : recordingRuntime(device);
  try {
    let begun = 0;
    const rows = await flopsReport(runtime, paperRows, (name) => {
      const seconds = ((performance.now() - start) / 1000).toFixed(0);
      console.error(`${++begun} of ${paperRows.length}, after ${seconds} s: ${name} …`);
    });
    const mode = execute ? 'executed' : 'recorded, not executed';
    const seconds = (performance.now() - start) / 1000;
    if (json !== true) {
      console.log(formatFlops(rows));
      console.log(`Forward passes: ${mode}; ${describeAdapter(runtime.adapter)}; ${seconds.toFixed(0)} s.`);
    }
    const { vendor, device, description } = runtime.adapter;
    writeJson({
      passes: execute ? 'executed' : 'recorded',
      adapter: { vendor, device, description },
      rows,
    });
    return rows.every((row) => row.equal) ? 0 : 1;
  } finally {
    closeNodeRuntime(device);
  }
}

await runProgram(program, run);
