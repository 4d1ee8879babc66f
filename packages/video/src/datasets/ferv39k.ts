import type { Dataset } from './dataset.js';
import { openListedDataset } from './listed-dataset.js';
import { readNamedLines, type NamedLines } from './named-lines.js';
import { DATASETS } from './protocols.js';

const LINES: NamedLines = {
  classes: DATASETS.ferv39k.classes,
  // Scene, emotion and clip; a step out of the folder is none of them.
  clipOf: (text) => {
    const parts = text.split('/');
    return parts.length === 3 && parts.every((part) => /^[^.]/.test(part)) ? text : undefined;
  },
  example: 'Action/Happy/0267 Happy',
};

/** FERV39k (Wang et al., 2022) with the official split over all scenes. */
export function openFerv39k(root: string): Dataset {
  return openListedDataset(root, {
    name: 'ferv39k',
    framesFolder: '2_ClipsforFaceCrop',
    labelFile: (part) => `4_setups/All_scenes/${part}_All.csv`,
    readClips: (file, remedyIfMissing, problems) => readNamedLines(file, LINES, remedyIfMissing, problems),
  });
}
