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
  wholeNumberOption,
} from '@tubelet/trainer';
import { CROP_MODES, DATASET_NAMES } from '@tubelet/video';
import { Command, Option } from 'commander';
import { crossValidate } from './cross-validation.js';
import { openData, requireFold, VALIDATION_PARTS } from './data-source.js';
import { recipeOf } from './recipes.js';
import {
  isMixing,
  requireFittingOptions,
  type FoldChoice,
  type RunOptions,
  type TrainOptions,
} from './train-options.js';
import { configOf, trainedEncoder } from './train-settings.js';
import { train, trainable } from './train.js';

const EXAMPLES = `
Examples:
  finetune train --data dfew --root /data/DFEW --fold 1 --from runs/base --out runs/dfew-1
  finetune train --data mafw --root /data/MAFW --fold all --from checkpoint-49.pth --out runs/mafw --batch-size 16 --accumulate 6
  finetune train --data csv --root faces/faces.csv --fold 1 --model small --image-size 96 --region 2,3,6 --out runs/faces
  finetune train … --resume

Clips of an optimiser step are --batch-size times --accumulate: the published recipes have 96, and 120 for FERV39k.`;

/** Reads the value of --fold. */
export function readFold(text: string): FoldChoice {
  return text === 'all' ? 'all' : wholeNumberOption('--fold', { min: 1 })(text);
}

/** The `train` command; defaults are the settings of the published recipes. */
export function trainCommand(): Command {
  const command = new Command('train')
    .description('fine-tune a classifier of facial expressions, validate it, and test it')
    .requiredOption('--out <dir>', 'folder of the run: config, log, TensorBoard events, checkpoints, reports')
    .option('--resume', 'continue the run in --out from its latest sound checkpoint');
  addOptionGroups(command, {
    'Data set:': [...dataOptions(), ...splitOptions()],
    'Model:': [
      new Option(
        '--from <place>',
        'weights to start from: a checkpoint or run of pre-training or fine-tuning, or a published .pth; the model is ' +
          'theirs unless an option below describes another',
      ),
      valued(
        '--other-head <choice>',
        'where the head of --from has another class count: renew it, or refuse',
        choiceOption('--other-head', ['renew', 'refuse']),
        'renew',
      ),
      ...encoderOptions(),
      valued(
        '--pooling <tokens>',
        'tokens whose mean is classified: representative, original, all (default: representative; of a ViT, original)',
        choiceOption('--pooling', ['representative', 'original', 'all']),
      ),
    ],
    'Clips:': [
      ...clipOptions(),
      valued(
        '--frame-step <n>',
        'distance between frames of a clip (default: 4, of FERV39k 1)',
        whole('--frame-step'),
      ),
      valued(
        '--crop <mode>',
        'none: all of the frame, squashed to a square; centre: its centred square; voxceleb: its top centre',
        choiceOption('--crop', CROP_MODES),
        'none',
      ),
    ],
    'Augmentation:': augmentationOptions(),
    'Training:': trainingOptions(),
    'Running:': runningOptions(),
  });
  return command.addHelpText('after', EXAMPLES).action(async (given: TrainOptions) => {
    const recipe = recipeOf(given.data);
    const options: RunOptions = {
      ...given,
      batchSize: given.batchSize ?? recipe.batchSize,
      frameStep: given.frameStep ?? recipe.frameStep,
    };
    requireFittingOptions(options);
    const encoder = await trainedEncoder(options, command);
    const dataset = await openData(options);
    const config = configOf(options, encoder, dataset.classes.length);
    if (options.dryRun) {
      // Clips are mixed in pairs.
      const multiple = isMixing(options) ? 2 : 1;
      console.log(await memoryReport({ options, trainable: (given) => trainable(given, config), multiple }));
      return;
    }
    const fold = options.fold ?? (dataset.folds === 1 ? 1 : undefined);
    const commandLine = process.argv.slice(2);
    if (fold === undefined || fold === 'all') {
      await crossValidate(dataset, options, config, commandLine);
    } else {
      requireFold(dataset, fold);
      await train({ dataset, fold, options, config, commandLine });
    }
  });
}

/** Options that name a data set. */
export function dataOptions(): Option[] {
  return [
    valued(
      '--data <name>',
      `one of ${DATASET_NAMES.join(', ')}`,
      choiceOption('--data', DATASET_NAMES),
    ).makeOptionMandatory(),
    new Option(
      '--root <path>',
      'the data set’s folder as its owners lay it out; for csv, a file path,label[,fold,subject] with a header',
    ).makeOptionMandatory(),
    new Option('--classes-file <file>', 'for csv: class names, one a line (default: classes.txt beside it)'),
  ];
}

function splitOptions(): Option[] {
  return [
    valued('--fold <n>', 'one fold, or all of them one after the other (default: all)', readFold),
    valued(
      '--validate-on <part>',
      'held-out: a part of the training videos, people kept apart where known; test: the test part, as the ' +
        'published training does; none',
      choiceOption('--validate-on', VALIDATION_PARTS),
      'held-out',
    ),
    valued(
      '--validation-share <share>',
      'share of the training videos to hold out',
      numberOption('--validation-share', { min: 0, max: 1, aboveMin: true, belowMax: true }),
      0.1,
    ),
    valued(
      '--validate-every <epochs>',
      'epochs from one validation to the next',
      whole('--validate-every'),
      1,
    ),
    valued('--clips <n>', 'clips of a video in validation and test', whole('--clips'), 2),
  ];
}

function augmentationOptions(): Option[] {
  return [
    valued(
      '--rand-augment-operations <n>',
      'operations of RandAugment on a clip, 0 for none',
      whole('--rand-augment-operations', 0),
      4,
    ),
    valued(
      '--rand-augment-magnitude <m>',
      'their mean magnitude, 0 to 10',
      numberOption('--rand-augment-magnitude', { min: 0, max: 10 }),
      7,
    ),
    valued(
      '--rand-augment-deviation <d>',
      'its standard deviation',
      notNegative('--rand-augment-deviation'),
      0.5,
    ),
    valued(
      '--crop-area-min <share>',
      'least area of the random crop; 1 for no crop',
      numberOption('--crop-area-min', { min: 0, max: 1, aboveMin: true }),
      0.08,
    ),
    valued('--flip <probability>', 'of mirroring a clip', share('--flip'), 0.5),
    valued('--erasing <probability>', 'of erasing a box of a clip', share('--erasing'), 0.25),
    valued('--mixup <alpha>', 'of mixup’s beta distribution, 0 for none', notNegative('--mixup'), 0.8),
    valued('--cutmix <alpha>', 'of CutMix’s beta distribution, 0 for none', notNegative('--cutmix'), 1),
    valued('--mix-probability <p>', 'of mixing a batch', share('--mix-probability'), 1),
    valued(
      '--cutmix-probability <p>',
      'of CutMix rather than mixup, where both are on',
      share('--cutmix-probability'),
      0.5,
    ),
    valued(
      '--label-smoothing <share>',
      'of the target spread over all classes',
      numberOption('--label-smoothing', { min: 0, max: 1, belowMax: true }),
      0.1,
    ),
  ];
}

function trainingOptions(): Option[] {
  return [
    valued('--epochs <n>', 'passes over the training videos', whole('--epochs'), 100),
    valued('--warmup-epochs <n>', 'epochs of linear warm-up', whole('--warmup-epochs', 0), 5),
    valued(
      '--batch-size <n>',
      'clips on the GPU at once (default: 96, of FERV39k 120)',
      whole('--batch-size'),
    ),
    valued('--accumulate <n>', 'batches whose gradients make one step', whole('--accumulate'), 1),
    valued(
      '--lr <rate>',
      'learning rate for 256 clips a step; scaled by clips / 256',
      positive('--lr'),
      1e-3,
    ),
    valued('--min-lr <rate>', 'final learning rate, scaled likewise', notNegative('--min-lr'), 1e-6),
    valued('--weight-decay <w>', 'of AdamW', notNegative('--weight-decay'), 0.05),
    valued(
      '--layer-decay <factor>',
      'learning rate of a layer over that of the next; 1 for the same rate in all',
      numberOption('--layer-decay', { min: 0, max: 1, aboveMin: true }),
      0.75,
    ),
    valued(
      '--token-layer <layer>',
      'representative tokens learn with the last layer, as published, or the first, whose input they are',
      choiceOption('--token-layer', ['last', 'first']),
      'last',
    ),
    valued(
      '--drop-path <rate>',
      'stochastic depth of the last block',
      numberOption('--drop-path', { min: 0, max: 1, belowMax: true }),
      0.1,
    ),
    valued(
      '--clip-gradients <norm>',
      'greatest norm of the gradient (default: no limit)',
      positive('--clip-gradients'),
    ),
    valued(
      '--ema <decay>',
      'validate and test a moving average of the weights, e.g. 0.9999 (default: the weights themselves)',
      numberOption('--ema', { min: 0, max: 1, aboveMin: true, belowMax: true }),
    ),
    precisionOption(),
    valued('--seed <n>', 'of weights, order, clips and augmentation', whole('--seed', 0), 0),
    valued(
      '--test-of <epoch>',
      'the weights to test: those of the last epoch, as published, or of the best validation',
      choiceOption('--test-of', ['last', 'best']),
      'last',
    ),
  ];
}

function runningOptions(): Option[] {
  return [
    valued('--save-every <steps>', 'steps between checkpoints (default: one epoch)', whole('--save-every')),
    valued('--keep <n>', 'checkpoints to keep, besides the best', whole('--keep'), 1),
    valued('--stop-after <step>', 'stop with a checkpoint when this step is reached', whole('--stop-after')),
    valued(
      '--workers <n>',
      'threads that decode and augment (default: one for each processor but one)',
      whole('--workers'),
    ),
    ...memoryOptions(),
    autotuneOption(),
    new Option('--profile', 'time every kernel and print a table at the end'),
    new Option('--debug', 'print stack traces of errors'),
  ];
}
