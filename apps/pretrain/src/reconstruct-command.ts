import { Command, Option } from 'commander';
import { choiceOption, numberOption, OptionError, wholeNumberOption } from '@tubelet/trainer';
import { CROP_MODES } from '@tubelet/video';
import { reconstruct, type ReconstructOptions } from './reconstruct.js';

/** Reads shares separated by commas, such as `0.75,0.9`. */
export function sharesOption(key: string): (text: string) => number[] {
  const share = numberOption(key, { min: 0, max: 1, aboveMin: true, belowMax: true });
  return (text) =>
    text.split(',').map((word) => {
      try {
        return share(word.trim());
      } catch {
        throw new OptionError(key, text, 'shares above 0 and below 1, separated by commas, such as 0.75,0.9');
      }
    });
}

/** The `reconstruct` command; by default the picture has the mask ratios of the paper's Figure 4. */
export function reconstructCommand(): Command {
  return new Command('reconstruct')
    .description(
      'show what a pre-trained model makes of a clip: original, masked and reconstructed frames as a PNG',
    )
    .argument('<video>', 'a video, or a folder of jpg or png frames')
    .requiredOption('--checkpoint <file>', 'a checkpoint that `train` wrote')
    .requiredOption('--out <picture>', 'the PNG file to write')
    .addOption(
      new Option('--start-seconds <s>', 'where in the video the clip begins')
        .argParser(numberOption('--start-seconds', { min: 0 }))
        .default(0),
    )
    .addOption(
      new Option('--frame-step <n>', 'distance between frames of the clip')
        .argParser(wholeNumberOption('--frame-step', { min: 1 }))
        .default(4),
    )
    .addOption(
      new Option(
        '--crop <mode>',
        'voxceleb: top centre of the frame; centre: its centred square; none: all of it',
      )
        .argParser(choiceOption('--crop', CROP_MODES))
        .default('centre'),
    )
    .addOption(
      new Option('--mask-ratios <shares>', 'shares of masked positions, one picture part for each')
        .argParser(sharesOption('--mask-ratios'))
        .default([0.75, 0.9], '0.75,0.9'),
    )
    .addOption(
      new Option('--seed <n>', 'of the masks').argParser(wholeNumberOption('--seed', { min: 0 })).default(0),
    )
    .option('--debug', 'print stack traces of errors')
    .action((video: string, options: ReconstructOptions) => reconstruct(video, options));
}
