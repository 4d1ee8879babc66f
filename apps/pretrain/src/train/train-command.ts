import { memoryReport, trainRun } from '@tubelet/trainer';
import { Command } from 'commander';
import { findVideos, SOURCES_HELP } from '../shared/sources.js';
import { modelConfig, requireFittingOptions, trainOptions } from './train-options.js';
import { pretraining, trainable } from './train.js';

const EXAMPLES = `
Examples:
  tubelet pretrain videos --out runs/first
  tubelet pretrain voxceleb2 --root /data/VoxCeleb2 --out runs/base
  tubelet pretrain 'clips/**/*.mp4' --model small --batch-size 32 --accumulate 4 --out runs/small
  tubelet pretrain videos --config small.yaml --seed 1 --out runs/small-1
  tubelet pretrain videos --out runs/first --resume`;

/** The command that pre-trains. */
export function trainCommand(): Command {
  const command = new Command('pretrain')
    .description('pre-train a masked autoencoder on unlabelled videos')
    .argument('<sources...>', SOURCES_HELP)
    .addHelpText('after', EXAMPLES);
  return trainOptions.addTo(command, { configFile: true }).action(async (sources: string[]) => {
    const { options, given } = trainOptions.read(command);
    requireFittingOptions(options);
    const config = modelConfig(options, given);
    if (options.dryRun) {
      console.log(await memoryReport({ options, trainable: (others) => trainable(others, config) }));
    } else {
      const found = await findVideos(sources, options, given);
      await trainRun(await pretraining(found, options, config, process.argv.slice(2)));
    }
  });
}
