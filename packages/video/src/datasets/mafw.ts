import type { Dataset } from './dataset.js';
import { openListedDataset } from './listed-dataset.js';
import { readNamedLines, type NamedLines } from './named-lines.js';
import { DATASETS } from './protocols.js';

const LINES: NamedLines = {
  classes: DATASETS.mafw.classes,
  clipOf: (text) => /^(\d+)\.mp4$/.exec(text)?.[1],
  example: '00025.mp4 anger',
};

/** MAFW (Liu et al., 2022), single expressions: the files name the videos, the frames lie in folders named alike. */
export function openMafw(root: string): Dataset {
  return openListedDataset(root, {
    name: 'mafw',
    framesFolder: 'data/frames',
    labelFile: (part, fold) => `split/single/no_caption/set_${fold}/${part}.txt`,
    readClips: (file, remedyIfMissing, problems) => readNamedLines(file, LINES, remedyIfMissing, problems),
  });
}
