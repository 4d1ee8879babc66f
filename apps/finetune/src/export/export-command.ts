import { Command } from 'commander';
import { exportOptions, exportWeights } from './export-weights.js';

const EXAMPLES = `
Examples:
  tubelet export --checkpoint runs/dfew-1 --out dfew-1.safetensors
  tubelet export --checkpoint dfew-fold-1.pth --trained-on dfew --fold 1 --out dfew-1.safetensors
  tubelet export --checkpoint runs/dfew-1 --out dfew-1.onnx

The second makes a classifier for evaluate, predict and embed of weights that the published code has fine-tuned: these
do not say what their classes are.`;

/** The `export` command. */
export function exportCommand(): Command {
  const command = new Command('export')
    .description(
      'write the weights of a checkpoint as safetensors under the published names, for PyTorch, or a classifier as an ONNX model',
    )
    .addHelpText('after', EXAMPLES);
  return exportOptions
    .addTo(command)
    .action(async () => console.log(await exportWeights(exportOptions.read(command).options)));
}
