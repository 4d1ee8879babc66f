import { Command } from 'commander';
import { embedOptions } from './embed-options.js';
import { embed } from './embed.js';

/** Paragraphs, which the help wraps to the width of the terminal. */
const DESCRIPTION = [
  'write the features of videos to a file: what the classifier’s last layer sees, the mean over the clips of each video',
  'Videos are given as for predict, or as a labelled data set (--data, --root). --picture lays them out in the plane by UMAP or t-SNE (--layout), each fold by itself, coloured by label where there are labels, else by predicted class.',
].join('\n\n');

const EXAMPLES = `
Examples:
  tubelet embed clips/ --checkpoint runs/dfew --out features.safetensors
  tubelet embed --data dfew --root /data/DFEW --fold 1 --checkpoint runs/dfew-1 --out dfew.csv --picture dfew.svg
  tubelet embed --data dfew --root /data/DFEW --fold all --checkpoint runs/dfew --out dfew.safetensors --picture dfew.svg

Files, by the name of --out:
  .safetensors  features [N, C], probabilities [N, K], predicted [N], with labels also labels [N] (-1: unknown); the
                metadata have ids, classNames and labelNames as JSON; with --fold all also folds [N]
  .csv          id, label, predicted, f0, f1, …
  .jsonl        one object for each video: id, label, predicted, feature`;

/** The `embed` command. */
export function embedCommand(): Command {
  const command = new Command('embed')
    .summary('write the features of videos to a file, and a picture of them')
    .description(DESCRIPTION)
    .argument('[sources...]', 'videos, folders, glob patterns or lists')
    .addHelpText('after', EXAMPLES);
  return embedOptions
    .addTo(command)
    .action((sources: string[]) => embed(sources, embedOptions.read(command).options));
}
