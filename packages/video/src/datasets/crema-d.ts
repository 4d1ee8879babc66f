import type { Dataset } from './dataset.js';
import { DATASETS } from './protocols.js';
import { openSubjectDataset, type ClipName } from './subject-dataset.js';

const CLASSES = DATASETS['crema-d'].classes;

function readName([name = '']: readonly string[]): ClipName {
  // Clip 1040_ITH_SAD_X is distributed with a single X.
  const fields = /^(\d{4})_[A-Z]{3}_([A-Z]{3})_(?:LO|MD|HI|XX?)$/.exec(name);
  const subject = Number(fields?.[1]);
  const label = CLASSES.indexOf(fields?.[2] ?? '');
  if (fields !== null && subject >= 1001 && subject <= 1091 && label >= 0) return { label, subject };
  return {
    problem: `"${name}" is not the name of a CREMA-D clip`,
    remedy:
      'Move it elsewhere, or name it <actor>_<sentence>_<emotion>_<intensity> as in 1001_DFA_ANG_XX, with an actor ' +
      `from 1001 to 1091 and one of the emotions ${CLASSES.join(', ')}`,
  };
}

/** CREMA-D (Cao et al., 2014): names are actor, sentence, emotion, intensity. Five subject-independent folds. */
export function openCremaD(root: string): Dataset {
  return openSubjectDataset(root, {
    name: 'crema-d',
    depth: 1,
    readName,
    testSubjects: [
      [1001, 1018],
      [1019, 1036],
      [1037, 1054],
      [1055, 1072],
      [1073, 1091],
    ],
  });
}
