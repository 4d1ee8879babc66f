import { Command } from 'commander';
import { reconstructOptions } from './reconstruct-options.js';
import { reconstruct } from './reconstruct.js';

const EXAMPLES = `
Examples:
  tubelet reconstruct face.mp4 --checkpoint runs/base --out picture.png
  tubelet reconstruct a.mp4 b.mp4 --checkpoint mae-dfer.pth --mask-type tube --out figure-8.png
  tubelet reconstruct FERV39k/clip --frame-step 1 --checkpoint mae-dfer.pth --no-prediction-row --out clip.png`;

/** The `reconstruct` command. */
export function reconstructCommand(): Command {
  const command = new Command('reconstruct')
    .description(
      'show what a pre-trained model makes of clips: original, masked and reconstructed frames as a PNG',
    )
    .argument('<videos...>', 'videos, or folders of jpg or png frames, one below the other in the picture')
    .addHelpText('after', EXAMPLES);
  return reconstructOptions
    .addTo(command)
    .action((videos: string[]) => reconstruct(videos, reconstructOptions.read(command).options));
}
