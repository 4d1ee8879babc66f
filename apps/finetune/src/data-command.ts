import { option, readValue } from '@tubelet/trainer';
import { Argument, Command, Help } from 'commander';
import { DATASET_NAMES, DATASETS, type DatasetName } from '@tubelet/video';
import { checkOptions, dataCheck } from './data-check.js';
import { dataShow, showOptions } from './data-show.js';

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

const name = option.choice('<name>', `one of ${DATASET_NAMES.join(', ')}`, DATASET_NAMES);
const nameArgument = () =>
  new Argument('<name>', `one of ${DATASET_NAMES.join(', ')}`).argParser((text) =>
    readValue('name', name, text),
  );

/** The `data` command, for looking at data sets before they are used. */
export function dataCommand(): Command {
  const check = new Command('check')
    .description('compare a copy of a data set with what its owners publish, clip by clip')
    .addArgument(nameArgument())
    .addHelpText('after', CHECK_EXAMPLES + '\n' + LAYOUTS);
  checkOptions
    .addTo(check)
    .action((data: DatasetName) => dataCheck({ ...checkOptions.read(check).options, data }));
  const show = new Command('show')
    .description('print how many clips each class has in each part, and draw it')
    .addArgument(nameArgument())
    .addHelpText('after', LAYOUTS);
  showOptions
    .addTo(show)
    .action((data: DatasetName) => dataShow({ ...showOptions.read(show).options, data }));
  return new Command('data')
    .description('check a copy of a data set, or show its labels')
    .addCommand(check)
    .addCommand(show);
}
