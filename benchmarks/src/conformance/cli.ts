import { existsSync } from 'node:fs';
import { Engine } from '@tubelet/autograd';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { Command } from 'commander';
import { describeAdapter } from '../shared/adapter.js';
import { openJson } from '../shared/json-output.js';
import { gpuOption } from '../shared/precision.js';
import { runProgram, UsageError } from '../shared/program.js';
import { textTable } from '@tubelet/trainer/formats';
import { findCases, runCase, TOLERANCE, type CaseResult } from './run-case.js';

const program = new Command('conformance')
  .description(
    'Runs operator cases of ONNX through the operations: folders with model.onnx and test_data_set_0/input_*.pb and ' +
      'output_*.pb. Says which passed, failed, or ask for what the operations do not do. Exit code 1 when one failed.',
  )
  .argument('<folder>', 'where the folders of the cases lie')
  .addOption(gpuOption())
  .option('--json [file]', 'write JSON to a file, or to standard output instead of the table');

await runProgram<{ readonly json?: string | true; readonly gpu?: number }>(program, async ({ json, gpu }) => {
  const folder = program.args[0]!;
  if (!existsSync(folder)) throw new UsageError(`there is no folder ${folder}`);
  const cases = findCases(folder);
  if (cases.length === 0) throw new UsageError(`${folder} holds no folder with a model.onnx`);
  const writeJson = openJson(json);
  const runtime = await openNodeRuntime({ gpu });
  try {
    const engine = new Engine(runtime);
    const results: CaseResult[] = [];
    for (const [i, path] of cases.entries()) {
      if (i % 50 === 0) console.error(`case ${i + 1} of ${cases.length} …`);
      results.push(await runCase(engine, path));
    }
    if (json !== true) console.log(report(results, describeAdapter(runtime.adapter)));
    writeJson({ adapter: runtime.adapter, tolerance: TOLERANCE, results });
    return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
  } finally {
    closeNodeRuntime(runtime);
  }
});

function report(results: readonly CaseResult[], adapter: string): string {
  const of = (wanted: CaseResult['outcome']) => results.filter(({ outcome }) => outcome === wanted);
  const rows = [...of('failed'), ...of('not covered')].map(({ name, outcome, reason = '' }) => [
    name,
    outcome,
    reason,
  ]);
  const table =
    rows.length > 0 ? `${textTable([['case', 'outcome', 'reason'], ...rows], new Set())}\n\n` : '';
  const worst = of('passed').reduce((largest, { error = 0 }) => Math.max(largest, error), 0);
  return (
    `${table}${of('passed').length} passed (largest error ${worst.toExponential(1)}, at most ${TOLERANCE} of the largest` +
    ` value or 1), ${of('failed').length} failed, ${of('not covered').length} not covered; ${adapter}.`
  );
}
