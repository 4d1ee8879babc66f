import { Command } from 'commander';
import { errorMessage, systemErrorCode, UserError } from '../errors.js';
import { debugOption } from '../options/training-options.js';
import { optionSet } from '../options/option-set.js';
import { findRuns, readRun, type RunRecord } from './find-runs.js';
import { formatComparison, formatRun, formatRuns } from './runs-text.js';

const options = optionSet({ 'Options:': debugOption });

/** The `runs` command: what is in run folders. */
export function runsCommand(): Command {
  const list = new Command('list')
    .description('a line for each run in a folder: state, steps, speed, loss, best validation')
    .argument('[folder]', 'where runs are looked for', 'runs')
    .action(async (folder: string) => {
      const runs: RunRecord[] = [];
      const unread: string[] = [];
      for (const directory of findRuns(folder)) {
        try {
          runs.push(await readRun(directory));
        } catch (error) {
          // One that is damaged or cannot be read does not hide the others.
          const isOfFiles = error instanceof UserError || systemErrorCode(error) !== null;
          if (!isOfFiles) throw error;
          unread.push(`\n  ${directory}: ${errorMessage(error)}`);
        }
      }
      if (runs.length > 0) console.log(formatRuns(runs));
      if (unread.length > 0) throw new UserError(`not listed, for they cannot be read:${unread.join('')}`);
    });
  const show = new Command('show')
    .description('settings, curves and state of one run')
    .argument('<run>', 'the folder of a run')
    .action(async (directory: string) => console.log(formatRun(await readRun(directory))));
  const compare = new Command('compare')
    .description('show in what runs differ: settings, speed, and the last value of each curve')
    .argument('<runs...>', 'folders of runs')
    .action(async (directories: string[]) => {
      const runs = [];
      for (const directory of directories) runs.push(await readRun(directory));
      console.log(formatComparison(runs));
    });
  const command = new Command('runs').description('list, show or compare runs');
  for (const one of [list, show, compare]) command.addCommand(options.addTo(one));
  return command;
}
