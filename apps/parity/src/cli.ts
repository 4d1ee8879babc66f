import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { runFolder } from './run.js';

const USAGE = `Usage: npm run parity -- FOLDER [--all]

Runs every case of a folder of reference numbers (manifest.json and safetensors files) and prints the relative error
‖out − ref‖/‖ref‖ of each tensor. Bounds: forward 5e-6, gradients 1e-5, parameters after steps 1e-5, 0 for whole
numbers such as frame indices and pixels. Elements of parameters whose gradient is within its bound of zero, which AdamW
moves one way or the other as rounding has it, are compared apart: their largest difference, with how far two steps can
lead apart.

  --all    a line for every gradient, parameter and clip instead of the worst of each family

Exit code: 0 when all are within their bounds, 1 when not, 2 for wrong usage.`;

async function main(args: readonly string[]): Promise<number> {
  const paths = args.filter((arg) => !arg.startsWith('-'));
  const unknown = args.find((arg) => arg.startsWith('-') && !['--all', '--help', '-h'].includes(arg));
  if (args.includes('--help') || args.includes('-h')) {
    console.log(USAGE);
    return 0;
  }
  if (unknown || paths.length !== 1) {
    console.error(unknown ? `unknown option ${unknown}` : `give one folder, got ${paths.length}`);
    console.error(USAGE);
    return 2;
  }
  const runtime = await openNodeRuntime();
  try {
    const report = await runFolder(runtime, paths[0]!, (name) => console.error(`${name} …`));
    console.log(report.format({ all: args.includes('--all') }));
    return report.failures.length === 0 ? 0 : 1;
  } finally {
    closeNodeRuntime(runtime);
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(process.env['TUBELET_DEBUG'] ? error : `error: ${(error as Error).message}`);
    process.exit(1);
  },
);
