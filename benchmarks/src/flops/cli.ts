import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { lgiFormer, validateEncoder, type LgiFormerConfig, type LgiFormerSize } from '@tubelet/mae-dfer';
import { Command, InvalidArgumentError, Option } from 'commander';
import { describeAdapter } from '../shared/adapter.js';
import { openJson } from '../shared/json-output.js';
import { gpuOption } from '../shared/precision.js';
import { positiveInteger, runProgram } from '../shared/program.js';
import { efficiencyOf, formatEfficiency } from './efficiency.js';
import { paperRows } from './paper-rows.js';
import { recordingRuntime } from '../shared/recording-runtime.js';
import { flopsReport, formatFlops } from './report.js';

interface Options {
  readonly json?: string | true;
  readonly execute: boolean;
  readonly model: LgiFormerSize;
  readonly region: [number, number, number];
  readonly imageSize: number;
  readonly frames: number;
  readonly batchSize: number;
  readonly time?: number;
  readonly gpu?: number;
}

function readRegion(text: string): [number, number, number] {
  const extents = text.split(/[,x]/).map(Number);
  if (extents.length !== 3 || !extents.every((one) => Number.isInteger(one) && one > 0)) {
    throw new InvalidArgumentError('It must be three whole numbers, such as 2,5,10.');
  }
  return extents as [number, number, number];
}

const base = lgiFormer('base');

const program = new Command('bench:flops')
  .description(
    '#Params and FLOPs of one 16×160×160 clip through the classifier (7 classes), from the cost ledger of a ' +
      'forward pass, beside the numbers of the paper. A multiply–accumulate counts as one, layer norm as five an ' +
      'element, all else as nothing. Exit code 1 when a row differs at the printed decimal. Then an LGI-Former of any ' +
      'size beside ViT-B on the same clips: operations, attention, memory of training steps, and their time.',
  )
  .addOption(
    new Option('--model <size>', 'LGI-Former to hold against ViT-B')
      .choices(['tiny', 'small', 'base'])
      .default('base'),
  )
  .option('--region <t,h,w>', 'its regions, in tokens', readRegion, [...base.region])
  .option('--image-size <px>', 'edge of the frames', positiveInteger, base.imageSize)
  .option('--frames <n>', 'frames of a clip', positiveInteger, base.frames)
  .option('--batch-size <n>', 'clips of a training step', positiveInteger, 8)
  .option('--time <steps>', 'also time so many training steps of both on this GPU', positiveInteger)
  .addOption(gpuOption())
  .option('--json [file]', 'write JSON to a file, or to standard output instead of the table')
  .option('--no-execute', 'record the passes without handing them to the GPU: seconds instead of minutes');

/**
 * The encoder that the options describe.
 *
 * @throws ConfigError where they do not fit one another
 */
function encoderOf({ model, region, imageSize, frames }: Options): LgiFormerConfig {
  const encoder = lgiFormer(model, { region, imageSize, frames });
  validateEncoder(encoder);
  return encoder;
}

async function run(options: Options): Promise<number> {
  const { json, execute, batchSize, time, gpu: wanted } = options;
  const encoder = encoderOf(options);
  const writeJson = openJson(json);
  const start = performance.now();
  const gpu = await openNodeRuntime({ gpu: wanted });
  const runtime = execute ? gpu : recordingRuntime(gpu);
  try {
    let begun = 0;
    const rows = await flopsReport(runtime, paperRows, (name) => {
      const seconds = ((performance.now() - start) / 1000).toFixed(0);
      console.error(`${++begun} of ${paperRows.length}, after ${seconds} s: ${name} …`);
    });
    console.error(
      `${encoder.kind} beside ViT-B${time === undefined ? '' : `, ${time} timed steps of each`} …`,
    );
    const timing = time === undefined ? undefined : { runtime: gpu, steps: time };
    const efficiency = await efficiencyOf(recordingRuntime(gpu), encoder, batchSize, timing);
    const mode = execute ? 'executed' : 'recorded, not executed';
    const seconds = (performance.now() - start) / 1000;
    if (json !== true) {
      console.log(formatFlops(rows));
      console.log(`\n${formatEfficiency(efficiency)}\n`);
      console.log(`Forward passes: ${mode}; ${describeAdapter(runtime.adapter)}; ${seconds.toFixed(0)} s.`);
    }
    const { vendor, device, description } = runtime.adapter;
    writeJson({
      passes: execute ? 'executed' : 'recorded',
      adapter: { vendor, device, description },
      rows,
      efficiency,
    });
    return rows.every((row) => row.equal) ? 0 : 1;
  } finally {
    closeNodeRuntime(gpu);
  }
}

await runProgram(program, run);
