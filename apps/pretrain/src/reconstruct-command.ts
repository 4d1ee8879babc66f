import { Command } from 'commander';
import { reconstructOptions } from './reconstruct-options.js';
import { reconstruct } from './reconstruct.js';

/** The `reconstruct` command. */
export function reconstructCommand(): Command {
  const command = new Command('reconstruct')
    .description(
      'show what a pre-trained model makes of a clip: original, masked and reconstructed frames as a PNG',
    )
    .argument('<video>', 'a video, or a folder of jpg or png frames');
  return reconstructOptions
    .addTo(command)
    .action((video: string) => reconstruct(video, reconstructOptions.read(command).options));
}
