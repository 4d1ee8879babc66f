import { Command, Option } from 'commander';
import {
  addOptionGroups,
  autotuneOption,
  choiceOption,
  clipOptions,
  encoderOptions,
  memoryOptions,
  memoryReport,
  notNegative,
  numberOption,
  positive,
  precisionOption,
  share,
  valued,
  whole,
} from '@tubelet/trainer';
import { CROP_MODES } from '@tubelet/video';
import { modelConfig, requireFittingOptions, type TrainOptions } from './train-settings.js';
import { train, trainable } from './train.js';

const EXAMPLES = `
Examples:
  pretrain train videos --out runs/first
  pretrain train 'clips/**/*.mp4' --model small --batch-size 32 --accumulate 4 --out runs/small
  pretrain train videos --out runs/first --resume`;

/** The `train` command; defaults are the paper's settings. */
export function trainCommand(): Command {
  const command = new Command('train')
    .description('pre-train a masked autoencoder on unlabelled videos')
    .argument('<sources...>', 'folders, globs, list files or single videos')
    .requiredOption('--out <dir>', 'folder of the run: config, log, TensorBoard events, checkpoints, report')
    .option('--resume', 'continue the run in --out from its latest sound checkpoint');
  const groups: Record<string, Option[]> = {
    'Model:': [
      ...encoderOptions(),
      valued('--decoder-dim <n>', 'width of the decoder', whole('--decoder-dim'), 384),
      valued('--decoder-depth <n>', 'blocks of the decoder', whole('--decoder-depth'), 4),
      valued('--decoder-heads <n>', 'heads of the decoder', whole('--decoder-heads'), 6),
      valued(
        '--decoder-positions <kind>',
        'token: every visible token keeps its position; reference: the order of the published checkpoints',
        choiceOption('--decoder-positions', ['token', 'reference']),
        'token',
      ),
    ],
    'Clips:': [
      ...clipOptions(),
      valued('--frame-step <n>', 'distance between frames of a clip', whole('--frame-step'), 4),
      valued(
        '--crop <mode>',
        'voxceleb: top centre of the frame; centre: its centred square; none: all of it',
        choiceOption('--crop', CROP_MODES),
        'centre',
      ),
      valued(
        '--augmentation <kind>',
        'multiScaleCrop or none',
        choiceOption('--augmentation', ['multiScaleCrop', 'none']),
        'multiScaleCrop',
      ),
      valued(
        '--segment-seconds <s>',
        'cut long videos into samples of this length',
        positive('--segment-seconds'),
      ),
      valued(
        '--clips-per-video <n>',
        'samples of each video or segment in an epoch',
        whole('--clips-per-video'),
        1,
      ),
      valued('--start-seconds <s>', 'use videos from this time on', notNegative('--start-seconds')),
      valued('--end-seconds <s>', 'use videos up to this time', positive('--end-seconds')),
    ],
    'Training:': [
      valued(
        '--mask-ratio <share>',
        'share of masked positions in a window',
        numberOption('--mask-ratio', { min: 0, max: 1, aboveMin: true, belowMax: true }),
        0.9,
      ),
      valued('--loss-weight <λ>', 'λ · appearance + (1 − λ) · motion', share('--loss-weight'), 0.5),
      valued('--epochs <n>', 'passes over the samples', whole('--epochs'), 50),
      valued('--warmup-epochs <n>', 'epochs of linear warm-up', whole('--warmup-epochs', 0), 5),
      valued('--batch-size <n>', 'clips on the GPU at once', whole('--batch-size'), 128),
      valued('--accumulate <n>', 'batches whose gradients make one step', whole('--accumulate'), 1),
      valued(
        '--lr <rate>',
        'learning rate for 256 clips a step; scaled by clips / 256',
        positive('--lr'),
        3e-4,
      ),
      valued('--min-lr <rate>', 'final learning rate, scaled likewise', notNegative('--min-lr'), 1e-5),
      valued('--weight-decay <w>', 'of AdamW', notNegative('--weight-decay'), 0.05),
      precisionOption(),
      valued('--seed <n>', 'of weights, order, crops and masks', whole('--seed', 0), 0),
    ],
    'Running:': [
      valued('--save-every <steps>', 'steps between checkpoints (default: 10 epochs)', whole('--save-every')),
      valued('--keep <n>', 'checkpoints to keep', whole('--keep'), 3),
      valued(
        '--stop-after <step>',
        'stop with a checkpoint when this step is reached',
        whole('--stop-after'),
      ),
      valued(
        '--workers <n>',
        'decoding threads (default: one for each processor but one)',
        whole('--workers'),
      ),
      ...memoryOptions(),
      autotuneOption(),
      new Option('--profile', 'time every kernel and print a table at the end'),
      new Option('--debug', 'print stack traces of errors'),
    ],
  };
  addOptionGroups(command, groups);
  return command.addHelpText('after', EXAMPLES).action(async (sources: string[], options: TrainOptions) => {
    requireFittingOptions(options);
    const config = modelConfig(options, command);
    if (options.dryRun) {
      console.log(await memoryReport({ options, trainable: (given) => trainable(given, config) }));
    } else {
      await train(sources, options, config, process.argv.slice(2));
    }
  });
}
