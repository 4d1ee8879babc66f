// Shows that --precision f16 learns as f32 does. The demo's model is pre-trained in both: the losses must stay within 2 %
// of each other, smoothed over 20 steps, and a run in f16 that is stopped and resumed must end with the same bytes. Then
// drawn faces are fine-tuned in both from one pre-trained model, with three seeds each: the mean recall of the tests must
// differ by no more than the standard deviation of f32's. Stopped by Ctrl-C, it goes on where it was.
//
//   npm run test:precision                      on this machine's GPU or software driver, where that has f16, else on
//                                               the driver of the next line
//   npm run test:precision -- --matrix-units    on matrix units; where the GPU has none, on a newer software driver
//                                               that has, fetched into the cache folder
//   npm run test:precision -- --steps 100       of pre-training; default 300
import { existsSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheDirectory, type GpuReport } from '@tubelet/kernels/node';
import { matrixUnitsDriver, matrixUnitsEnvironment, nodeWithDriver } from './lib/matrix-units-driver.js';
import { compareFinetuning } from './lib/precision-finetuning.js';
import { comparePretraining, compareResumed, WINDOW } from './lib/precision-pretraining.js';
import { probe } from './lib/probe.js';
import { requireBuilt, runProgram } from './lib/programs.js';
import { root } from './lib/root.mjs';

const say = (line: string) => console.log(`[precision] ${line}`);

function readOptions() {
  const { values } = parseArgs({
    options: {
      steps: { type: 'string', default: '300' },
      'matrix-units': { type: 'boolean', default: false },
    },
  });
  const steps = Number(values.steps);
  if (Number.isInteger(steps) && steps >= 2 * WINDOW) return { steps, matrixUnits: values['matrix-units'] };
  throw new Error(
    `--steps: ${values.steps} cannot be used; expected a whole number of at least ${2 * WINDOW}`,
  );
}

const takesF16 = ({ componentType, resultComponentType }: GpuReport['matrixUnits'][number]) =>
  componentType === 'f16' && resultComponentType === 'f32';

/** How to start programs so that they find f16, or matrix units for it, and on what they then compute. */
async function start(matrixUnits: boolean) {
  const { report } = await probe();
  if (report && (matrixUnits ? report.matrixUnits.some(takesF16) : report.features.includes('shader-f16'))) {
    return { started: {}, device: report.description };
  }
  const cache = cacheDirectory();
  const driver = await matrixUnitsDriver(cache);
  const started = { node: nodeWithDriver(driver), env: matrixUnitsEnvironment(driver, cache) };
  return { started, device: `llvmpipe ${driver.version} with matrix units` };
}

const interruption = new AbortController();
// The training that runs gets it too, and ends with a checkpoint.
process.on('SIGINT', () => interruption.abort());

try {
  const { steps, matrixUnits } = readOptions();
  requireBuilt();
  const folder = join(root, 'runs', matrixUnits ? 'test-precision-matrix-units' : 'test-precision');
  if (existsSync(folder)) {
    say(`going on with ${relative(root, folder)}, of an earlier call; remove it to begin anew`);
  }
  const { started, device } = await start(matrixUnits);
  say(`on ${device}`);
  const run = async (words: readonly string[]) => {
    await runProgram(words, started);
    if (interruption.signal.aborted) throw new Error('stopped; the same command goes on from here');
  };
  const context = { folder, run, say };
  const findings = [
    await comparePretraining(context, steps),
    await compareResumed(context),
    ...(await compareFinetuning(context)),
  ];
  const failures = findings.filter(({ holds }) => !holds).map(({ failure }) => failure);
  if (failures.length > 0) throw new Error(`${failures.join('; ')} (its runs: ${relative(root, folder)})`);
  rmSync(folder, { recursive: true });
} catch (error) {
  console.error(`[precision] ${(error as Error).message}`);
  process.exitCode = 1;
}
