import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { lgiFormer } from '@tubelet/mae-dfer';
import { Command } from 'commander';
import { describeAdapter } from '../shared/adapter.js';
import { gpuOption } from '../shared/precision.js';
import { positiveInteger, runProgram } from '../shared/program.js';
import { textTable } from '@tubelet/trainer/formats';
import { forms, measureOverlap, type OverlapResult } from './measure.js';

interface Options {
  readonly depth: number;
  readonly batchSize: number;
  readonly megabytesPerSecond: number;
  readonly bucketMegabytes: number;
  readonly steps: number;
  readonly gpu?: number;
}

const program = new Command('bench:overlap')
  .description(
    'Steps of pre-training (LGI-Former of width 256) as one of several ranks: without sums of gradients, with sums ' +
      'after the backward pass, and with sums in buckets beside it. The sums go over a wire that takes time and no ' +
      'processor, as a network card does: ranks on one small machine would only compete for it.',
  )
  .option('--depth <n>', 'blocks of the encoder', positiveInteger, 2)
  .option('--batch-size <n>', 'clips of a step', positiveInteger, 1)
  .option('--megabytes-per-second <n>', 'how fast gradients are summed', positiveInteger, 100)
  .option('--bucket-megabytes <n>', 'size of a bucket', positiveInteger, 4)
  .option('--steps <n>', 'timed steps', positiveInteger, 5)
  .addOption(gpuOption());

const ms = (value: number) => value.toFixed(0);

function row({ form, stepMs, sumsMs, waitedMs }: OverlapResult): string[] {
  const hidden = sumsMs === 0 ? '' : `${(100 * (1 - waitedMs / sumsMs)).toFixed(0)} %`;
  return [form, ms(stepMs), ms(sumsMs), ms(waitedMs), hidden];
}

async function run(options: Options): Promise<number> {
  const { depth, batchSize, megabytesPerSecond, bucketMegabytes, steps, gpu } = options;
  const runtime = await openNodeRuntime({ gpu });
  try {
    const model = { encoder: lgiFormer('tiny', { depth }), task: 'pretrain', batchSize } as const;
    const wire = { megabytesPerSecond, latencyMs: 0.1 };
    const results: OverlapResult[] = [];
    for (const form of forms) {
      const bucketBytes = bucketMegabytes * 1e6;
      const result = await measureOverlap(runtime, model, form, { wire, bucketBytes, steps });
      console.error(`sums ${form}: a step takes ${ms(result.stepMs)} ms`);
      results.push(result);
    }
    console.log(`${describeAdapter(runtime.adapter)}; ${megabytesPerSecond} MB/s\n`);
    const headings = ['sums', 'step ms', 'sums ms', 'waited ms', 'hidden'];
    console.log(textTable([headings, ...results.map(row)], new Set([1, 2, 3, 4])));
    return 0;
  } finally {
    closeNodeRuntime(runtime);
  }
}

await runProgram(program, run);
