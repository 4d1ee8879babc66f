import type { Precision } from '@tubelet/kernels';
import { closeNodeRuntime } from '@tubelet/kernels/node';
import { Command } from 'commander';
import { gpuOption, openInPrecision, precisionOption } from '../shared/precision.js';
import { positiveInteger, runProgram } from '../shared/program.js';
import { tuneDevice } from './program.js';

interface Options {
  readonly kernel?: readonly string[];
  readonly clips?: readonly number[];
  readonly quick?: true;
  readonly precision: Precision;
  readonly gpu?: number;
}

const thorough = { rounds: 9, batchMs: 40, referenceMacs: 3e7 };
const quick = { rounds: 5, batchMs: 10, referenceMacs: 0 };

const program = new Command('tune')
  .description(
    'Times the variants of every kernel that this device can run at the shapes of the models, in turns, and keeps ' +
      'the fastest of each class of shapes in the cache folder, where it is faster than the shipped choice by more ' +
      'than the noise. Training uses it from then on. Exit code 1 when a variant computes something wrong.',
  )
  .option('--kernel <name...>', 'only these kernels; what was measured for others stays')
  .option(
    '--clips <n...>',
    'measure for steps of so many clips (default: 1, on a GPU also 16)',
    (text: string, before: readonly number[] = []) => [...before, positiveInteger(text)],
  )
  .addOption(
    precisionOption(
      'f16: measure for training with `--precision f16`, whose table is kept apart from that of f32',
    ),
  )
  .addOption(gpuOption())
  .option('--quick', 'fewer and shorter batches: rougher, sooner');

async function run({ kernel, clips, quick: isQuick, precision, gpu }: Options): Promise<number> {
  const runtime = await openInPrecision({ precision, gpu });
  try {
    const allRight = await tuneDevice(runtime, {
      ...(isQuick ? quick : thorough),
      clips: clips ?? (runtime.adapter.isSoftware ? [1] : [1, 16]),
      ...(kernel ? { kernels: kernel } : {}),
      onCase: (name, testCase) => console.error(`${name}: ${testCase} …`),
      print: (text) => console.log(text),
    });
    return allRight ? 0 : 1;
  } finally {
    closeNodeRuntime(runtime);
  }
}

await runProgram(program, run);
