import { Command } from 'commander';
import { evaluateOptions } from './evaluate-options.js';
import { evaluate } from './evaluate-report.js';
import { terminal } from '../shared/output.js';

const EXAMPLES = `
Examples:
  tubelet evaluate --checkpoint runs/dfew-1 --data dfew --root /data/DFEW --out runs/dfew-1/test-again
  tubelet evaluate --checkpoint published/dfew --data dfew --root /data/DFEW --fold all   # fold-1.pth … fold-5.pth
  tubelet evaluate --checkpoint runs/faces/checkpoints/best.safetensors --data csv --root faces/faces.csv --fold 1

UAR is the mean of the classes' recalls, WAR the share of videos that are classified correctly. A video counts as the
class with the greatest mean probability over its clips.`;

/** The `evaluate` command. */
export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description('score a classifier on a labelled data set: UAR, WAR, each class, and a report')
    .addHelpText('after', EXAMPLES);
  return evaluateOptions
    .addTo(command)
    .action(() => evaluate(evaluateOptions.read(command).options, terminal));
}
