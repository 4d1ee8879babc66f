import { Command } from 'commander';
import { addOptionGroups, choiceOption, numberOption, valued, whole } from '@tubelet/trainer';
import { embed, type EmbedOptions } from './embed.js';
import { PARTS } from './evaluate-dataset.js';
import { classifierOptions } from './classifier-options.js';
import { dataOptions } from './train-command.js';

/** Paragraphs, which the help wraps to the width of the terminal. */
const DESCRIPTION = [
  'write the features of videos to a file: what the classifier’s last layer sees, the mean over the clips of each video',
  'Videos are given as for predict, or as a labelled data set (--data, --root). --picture lays them out in the plane by UMAP, coloured by label where there are labels, else by predicted class.',
].join('\n\n');

const EXAMPLES = `
Examples:
  $ finetune embed clips/ --checkpoint runs/dfew --out features.safetensors
  $ finetune embed --data dfew --root /data/DFEW --fold 1 --checkpoint runs/dfew-1 --out dfew.csv --picture dfew.svg

Files, by the name of --out:
  .safetensors  features [N, C], probabilities [N, K], predicted [N], with labels also labels [N] (-1: unknown); the
                metadata have ids, classNames and labelNames as JSON
  .csv          id, label, predicted, f0, f1, …
  .jsonl        one object for each video: id, label, predicted, feature`;

/** The `embed` command. */
export function embedCommand(): Command {
  const command = new Command('embed')
    .summary('write the features of videos to a file, and a picture of them')
    .description(DESCRIPTION)
    .argument('[sources...]', 'videos, folders, glob patterns or lists')
    .addHelpText('after', EXAMPLES);
  addOptionGroups(command, {
    'Data set, in place of sources:': [
      ...dataOptions().map((option) => option.makeOptionMandatory(false)),
      valued('--fold <n>', 'default: the one that the classifier was trained for, else 1', whole('--fold')),
      valued('--part <part>', `one of ${PARTS.join(', ')} (default: test)`, choiceOption('--part', PARTS)),
    ],
    ...classifierOptions(valued('--clips <n>', 'clips of a video', whole('--clips'), 2)),
    'Output:': [
      valued('--out <file>', 'where to write: .safetensors, .csv or .jsonl', String).makeOptionMandatory(),
      valued('--picture <file>', 'draw the features in the plane: .svg or .png', String),
      valued(
        '--neighbors <n>',
        'of the picture: few show detail, many the whole (default: 15; of less than 31 videos, half of them)',
        whole('--neighbors', 2),
      ),
      valued(
        '--min-dist <d>',
        'of the picture: how close points may come, 0 to 1 (default: 0.1)',
        numberOption('--min-dist', { min: 0, max: 1 }),
      ),
      valued('--seed <n>', 'of the picture (default: 0)', whole('--seed', 0)),
    ],
  });
  return command
    .option('--debug', 'print stack traces of errors')
    .action((sources: string[], options: EmbedOptions) => embed(sources, options));
}
