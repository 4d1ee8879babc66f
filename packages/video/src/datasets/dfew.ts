import type { Dataset } from './dataset.js';
import { cutOff, readTable } from './files.js';
import { openListedDataset, type ListedClip } from './listed-dataset.js';
import { DATASETS } from './protocols.js';
import type { Problems } from './problems.js';

const CLASS_COUNT = DATASETS.dfew.classes.length;

function readClips(file: string, remedyIfMissing: string, problems: Problems): ListedClip[] {
  const columns = { required: ['video_name', 'label'], optional: [], others: 'disregarded' } as const;
  const clips: ListedClip[] = [];
  for (const { where, value } of readTable(file, columns, remedyIfMissing, problems)) {
    const fits = /^\d{1,5}$/.test(value.video_name);
    if (!fits) {
      problems.add(
        where,
        `video_name is "${cutOff(value.video_name)}"`,
        'Give the number of a clip, of at most 5 digits',
      );
    }
    const label = /^\d+$/.test(value.label) ? Number(value.label) : NaN;
    if (!(label >= 1 && label <= CLASS_COUNT)) {
      problems.add(where, `label is "${cutOff(value.label)}"`, `Give a label from 1 to ${CLASS_COUNT}`);
    } else if (fits) {
      clips.push({ where, clip: value.video_name.padStart(5, '0'), label: label - 1 });
    }
  }
  return clips;
}

/** DFEW (Jiang et al., 2020), single-labelled part: the files count labels from 1, and may write clip 00007 as 7. */
export function openDfew(root: string): Dataset {
  return openListedDataset(root, {
    name: 'dfew',
    framesFolder: 'Clip/jpg_256',
    labelFile: (part, fold) => `EmoLabel_DataSplit/${part}(single-labeled)/set_${fold}.csv`,
    readClips,
  });
}
