import { Command } from 'commander';
import { choiceOption, valued, whole } from '@tubelet/trainer';
import { PUBLISHED_NAMES } from '@tubelet/video';
import { exportWeights, type ExportOptions } from './export-weights.js';

const EXAMPLES = `
Examples:
  $ finetune export --checkpoint runs/dfew-1 --out dfew-1.safetensors
  $ finetune export --checkpoint dfew-fold-1.pth --trained-on dfew --fold 1 --out dfew-1.safetensors

The second makes a classifier for evaluate, predict and embed of weights that the published code has fine-tuned: these
do not say what their classes are.`;

/** The `export` command. */
export function exportCommand(): Command {
  return new Command('export')
    .description('write the weights of a checkpoint as safetensors under the published names, for PyTorch')
    .requiredOption(
      '--checkpoint <place>',
      'a checkpoint, a published .pth, or the folder of a run (its newest one)',
    )
    .requiredOption('--out <file>', 'the safetensors file to write')
    .addOption(
      valued(
        '--trained-on <name>',
        `of a published classifier, the data set it was trained on: ${PUBLISHED_NAMES.join(', ')}`,
        choiceOption('--trained-on', PUBLISHED_NAMES),
      ),
    )
    .addOption(valued('--fold <n>', 'of --trained-on (default: 1)', whole('--fold')))
    .option('--debug', 'print stack traces of errors')
    .addHelpText('after', EXAMPLES)
    .action(async (options: ExportOptions) => console.log(await exportWeights(options)));
}
