import { Command } from 'commander';
import { addOptionGroups, choiceOption, valued, whole } from '@tubelet/trainer';
import { evaluate } from './evaluate-report.js';
import { PARTS, type EvaluateCommandOptions } from './evaluate-dataset.js';
import { terminal } from './output.js';
import { classifierOptions } from './classifier-options.js';
import { dataOptions } from './train-command.js';

const EXAMPLES = `
Examples:
  $ finetune evaluate --checkpoint runs/dfew-1 --data dfew --root /data/DFEW --out runs/dfew-1/test-again
  $ finetune evaluate --checkpoint runs/faces/checkpoints/best.safetensors --data csv --root faces/faces.csv --fold 1

UAR is the mean of the classes' recalls, WAR the share of videos that are classified correctly. A video counts as the
class with the greatest mean probability over its clips.`;

/** The `evaluate` command; defaults are those of the published protocol. */
export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description('score a classifier on a labelled data set: UAR, WAR, each class, and a report')
    .addHelpText('after', EXAMPLES);
  addOptionGroups(command, {
    'Data set:': [
      ...dataOptions(),
      valued('--fold <n>', 'default: the one that the classifier was trained for, else 1', whole('--fold')),
      valued(
        '--part <part>',
        `which videos of the fold: ${PARTS.join(', ')}`,
        choiceOption('--part', PARTS),
        'test',
      ),
    ],
    ...classifierOptions(
      valued('--clips <n>', 'clips of a video, spread evenly over it', whole('--clips'), 2),
    ),
    'Output:': [
      valued('--out <dir>', 'folder for report.html, evaluation.json, predictions.csv and figures', String),
    ],
  });
  return command
    .option('--debug', 'print stack traces of errors')
    .action((options: EvaluateCommandOptions) => evaluate(options, terminal));
}
