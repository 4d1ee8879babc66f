import { Command } from 'commander';
import { confusionFigure, featureFigure, featureOptions, labelFigure, panelOptions } from './figures.js';

const EXAMPLES = `
Examples:
  tubelet figure features dfew.safetensors scratch.safetensors --titles 'pre-trained,from scratch' --out figure-5.png
  tubelet figure labels dfew=/data/DFEW mafw=/data/MAFW --out figure-6.svg
  tubelet figure confusion runs/dfew runs/ferv39k/test runs/mafw --out figure-7.png`;

/** The `figure` command: the figures of the paper that show several results in one picture. */
export function figureCommand(): Command {
  const command = new Command('figure')
    .description(
      'draw what embed and evaluate have written, or the labels of data sets, several in one picture',
    )
    .addHelpText('after', EXAMPLES);
  const features = new Command('features')
    .description('features in the plane, a panel for each file and fold (Figure 5)')
    .argument('<files...>', 'safetensors files that embed wrote');
  const labels = new Command('labels')
    .description('how many videos of each class there are, a panel for each data set (Figure 6)')
    .argument('<sets...>', 'data sets with their places, such as dfew=/data/DFEW or csv=faces.csv');
  const confusion = new Command('confusion')
    .description('confusion matrices, a panel for each result (Figure 7)')
    .argument('<results...>', 'folders that evaluate or a tested run has written, or their evaluation.json');
  featureOptions
    .addTo(features)
    .action((files: string[]) => featureFigure(files, featureOptions.read(features).options));
  panelOptions.addTo(labels).action((sets: string[]) => labelFigure(sets, panelOptions.read(labels).options));
  panelOptions
    .addTo(confusion)
    .action((results: string[]) => confusionFigure(results, panelOptions.read(confusion).options));
  return command.addCommand(features).addCommand(labels).addCommand(confusion);
}
