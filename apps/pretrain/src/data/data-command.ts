import { option, readValue } from '@tubelet/trainer';
import { VOXCELEB2_LAYOUT } from '@tubelet/video';
import { Argument, Command, Help } from 'commander';
import { checkOptions, dataCheck } from './data-check.js';
import { NAMED_SOURCES } from '../shared/sources.js';

const EXAMPLES = `
Examples:
  tubelet data check voxceleb2 --root /data/VoxCeleb2 --quick
  tubelet data check voxceleb2 --root /data/VoxCeleb2 --out /data/VoxCeleb2
  tubelet pretrain voxceleb2 --root /data/VoxCeleb2 --out runs/base

What is expected on the disk:
${new Help().boxWrap(VOXCELEB2_LAYOUT, 92).replace(/^/gm, '  ')}

The exit code is 1 when there are errors; warnings and notes leave it at 0. What clips hold is remembered in the cache
folder, so that training and a second check need not open them again for it.`;

/** The `data` command, for looking at data sets before they are used. */
export function dataCommand(): Command {
  const name = option.choice('<name>', `one of ${NAMED_SOURCES.join(', ')}`, NAMED_SOURCES);
  const check = new Command('check')
    .description('compare a copy of VoxCeleb2 with what its owners publish, clip by clip, and list its clips')
    .addArgument(
      new Argument('<name>', NAMED_SOURCES.join(', ')).argParser((text) => readValue('name', name, text)),
    )
    .addHelpText('after', EXAMPLES);
  checkOptions.addTo(check).action(() => dataCheck(checkOptions.read(check).options));
  return new Command('data').description('check a copy of a data set').addCommand(check);
}
