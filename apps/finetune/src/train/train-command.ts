import { memoryReport } from '@tubelet/trainer';
import { Command } from 'commander';
import { crossValidate } from './cross-validation.js';
import { openData, requireFold } from '../shared/data-source.js';
import { recipeOf } from '../shared/recipes.js';
import { requireFittingOptions, trainOptions, type RunOptions } from './train-options.js';
import { configOf, trainedEncoder } from './train-settings.js';
import { train, trainable } from './train.js';

const EXAMPLES = `
Examples:
  tubelet finetune --data dfew --root /data/DFEW --fold 1 --from runs/base --out runs/dfew-1
  tubelet finetune --data mafw --root /data/MAFW --fold all --from checkpoint-49.pth --out runs/mafw --batch-size 16 --accumulate 6
  tubelet finetune --data csv --root faces/faces.csv --fold 1 --model small --image-size 96 --region 2,3,6 --out runs/faces
  tubelet finetune --config dfew.yaml --fold 2 --out runs/dfew-2
  tubelet finetune … --resume

Clips of an optimiser step are --batch-size times --accumulate: the published recipes have 96, and 120 for FERV39k.`;

/** The options of a command line, with what the recipe of the data set fills in. */
export function readTrainOptions(command: Command): {
  readonly options: RunOptions;
  readonly given: ReadonlySet<string>;
} {
  const { options, given } = trainOptions.read(command);
  const recipe = recipeOf(options.data);
  const { batchSize = recipe.batchSize, frameStep = recipe.frameStep } = options;
  return { options: { ...options, batchSize, frameStep }, given };
}

/** The command that fine-tunes. */
export function trainCommand(): Command {
  const command = new Command('finetune')
    .description('fine-tune a classifier of facial expressions, validate it, and test it')
    .addHelpText('after', EXAMPLES);
  return trainOptions.addTo(command, { configFile: true }).action(async () => {
    const { options, given } = readTrainOptions(command);
    requireFittingOptions(options);
    const encoder = await trainedEncoder(options, given);
    const dataset = await openData(options);
    const config = configOf(options, encoder, dataset.classes.length);
    if (options.dryRun) {
      console.log(await memoryReport({ options, trainable: (others) => trainable(others, config) }));
      return;
    }
    const fold = options.fold ?? (dataset.folds === 1 ? 1 : 'all');
    const commandLine = process.argv.slice(2);
    if (fold === 'all') {
      await crossValidate(dataset, options, config, commandLine);
    } else {
      requireFold(dataset, fold);
      await train({ dataset, fold, options, config, commandLine });
    }
  });
}
