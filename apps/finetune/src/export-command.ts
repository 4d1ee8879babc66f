import { Command } from 'commander';
import { exportWeights, type ExportOptions } from './export-weights.js';

/** The `export` command. */
export function exportCommand(): Command {
  return new Command('export')
    .description('write the weights of a checkpoint as safetensors under the published names, for PyTorch')
    .requiredOption('--checkpoint <place>', 'a checkpoint, or the folder of a run (its newest one)')
    .requiredOption('--out <file>', 'the safetensors file to write')
    .option('--debug', 'print stack traces of errors')
    .action(async (options: ExportOptions) => console.log(await exportWeights(options)));
}
