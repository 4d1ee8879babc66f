import { Argument, Command, Help, Option } from 'commander';
import { choiceOption, valued } from '@tubelet/trainer';
import { DATASET_NAMES, DATASETS, type DatasetName } from '@tubelet/video';
import { dataCheck, type DataCheckOptions } from './data-check.js';
import { dataShow, type DataShowOptions } from './data-show.js';
import { readFold } from './train-command.js';

const LAYOUT_CHARACTERS = 96;

/** Lines of at most {@link LAYOUT_CHARACTERS}, indented: commander wraps options, and not what comes after them. */
const indented = (text: string): string =>
  new Help().boxWrap(text, LAYOUT_CHARACTERS - 4).replace(/^/gm, '    ');

const LAYOUTS = `
What is expected on the disk:
${DATASET_NAMES.map((name) => `  ${name}\n${indented(DATASETS[name].layout)}`).join('\n')}`;

const CHECK_EXAMPLES = `
Examples:
  $ finetune data check dfew --root /data/DFEW
  $ finetune data check mafw --root /data/MAFW --fold 1 --quick
  $ finetune data check csv --root faces/faces.csv --json check.json

The exit code is 1 when there are errors; warnings and notes leave it at 0.`;

/** A command about one data set. */
function datasetCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addArgument(
      new Argument('<name>', `one of ${DATASET_NAMES.join(', ')}`).argParser(
        choiceOption('name', DATASET_NAMES),
      ),
    )
    .requiredOption(
      '--root <path>',
      'the folder of the data set as its owners lay it out; for csv, the CSV file',
    )
    .option('--classes-file <file>', 'for csv: class names, one a line (default: classes.txt beside it)')
    .addOption(valued('--fold <n>', 'one fold, or all', readFold, 'all'));
}

/** The `data` command, for looking at data sets before they are used. */
export function dataCommand(): Command {
  const check = datasetCommand(
    'check',
    'compare a copy of a data set with what its owners publish, clip by clip',
  )
    .addOption(new Option('--quick', 'open no images and videos: names, numbers and lengths of files only'))
    .option('--json <file>', 'write everything that was found to a file')
    .option('--debug', 'print stack traces of errors')
    .addHelpText('after', CHECK_EXAMPLES + '\n' + LAYOUTS)
    .action((data: DatasetName, options: Omit<DataCheckOptions, 'data'>) => dataCheck({ ...options, data }));
  const show = datasetCommand('show', 'print how many clips each class has in each part, and draw it')
    .option('--out <folder>', 'draw it too, as SVG and PNG, into this folder')
    .option('--debug', 'print stack traces of errors')
    .addHelpText('after', LAYOUTS)
    .action((data: DatasetName, options: Omit<DataShowOptions, 'data'>) => dataShow({ ...options, data }));
  return new Command('data')
    .description('check a copy of a data set, or show its labels')
    .addCommand(check)
    .addCommand(show);
}
