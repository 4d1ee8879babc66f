import { Command } from 'commander';
import { prepareOptions } from './prepare-options.js';
import { prepare } from './prepare.js';

const EXAMPLES = `
Examples:
  tubelet prepare /data/vox2 --crop voxceleb --out /data/vox2-160
  tubelet prepare videos.txt --image-size 224 --dry-run --out shards
  tubelet pretrain /data/vox2-160 --crop none --out runs/first`;

/** The `prepare` command. */
export function prepareCommand(): Command {
  const command = new Command('prepare')
    .description('make tar shards of small clips out of videos, which train reads much faster')
    .argument('<sources...>', 'folders, globs, list files or single videos')
    .addHelpText('after', EXAMPLES);
  return prepareOptions
    .addTo(command)
    .action((sources: string[]) => prepare(sources, prepareOptions.read(command).options));
}
