import { Command } from 'commander';
import { prepareOptions } from './prepare-options.js';
import { prepare } from './prepare.js';
import { findVideos, SOURCES_HELP } from '../shared/sources.js';

const EXAMPLES = `
Examples:
  tubelet prepare voxceleb2 --root /data/VoxCeleb2 --out /data/vox2-160
  tubelet prepare videos.txt --image-size 224 --dry-run --out shards
  tubelet prepare films --crop face --out /data/faces-160
  tubelet pretrain /data/vox2-160 --out runs/first`;

/** The `prepare` command. */
export function prepareCommand(): Command {
  const command = new Command('prepare')
    .description('make tar shards of small clips out of videos, which pretrain reads much faster')
    .argument('<sources...>', SOURCES_HELP)
    .addHelpText('after', EXAMPLES);
  return prepareOptions.addTo(command).action(async (sources: string[]) => {
    const { options, given } = prepareOptions.read(command);
    // Which part of a frame is a face is found video by video.
    const crop = options.crop === 'face' ? 'none' : options.crop;
    await prepare(await findVideos(sources, { root: options.root, crop }, given), options);
  });
}
