import type { Dataset } from './dataset.js';
import { openSubjectDataset, type ClipName } from './subject-dataset.js';

/** Modality, vocal channel, emotion, intensity, statement, repetition, actor. */
const NAME = /^(0[1-3])-(0[12])-(0[1-8])-0[12]-0[12]-0[12]-(0[1-9]|1\d|2[0-4])$/;
const VIDEO_ONLY = '02';
const SPEECH = '01';

function readName([actorFolder = '', name = '']: readonly string[]): ClipName {
  const fields = NAME.exec(name);
  if (fields === null || actorFolder !== `Actor_${fields[4]}`) {
    return {
      problem: `"${actorFolder}/${name}" is not the name of a RAVDESS clip`,
      remedy:
        'Move it elsewhere, or name it modality-channel-emotion-intensity-statement-repetition-actor as in ' +
        'Actor_01/02-01-06-01-02-01-01, in the folder of the same actor, 01 to 24',
    };
  }
  if (fields[1] !== VIDEO_ONLY) return { leftOut: `its modality ${fields[1]} is not 02, video-only` };
  if (fields[2] !== SPEECH) return { leftOut: `its vocal channel ${fields[2]} is not 01, speech` };
  return { label: Number(fields[3]) - 1, subject: Number(fields[4]) };
}

/**
 * RAVDESS (Livingstone & Russo, 2018): the speech clips without sound, six folds of four actors. Songs and the other
 * modalities of the same recordings are left out.
 */
export function openRavdess(root: string): Dataset {
  return openSubjectDataset(root, {
    name: 'ravdess',
    depth: 2,
    readName,
    testSubjects: [
      [1, 4],
      [5, 8],
      [9, 12],
      [13, 16],
      [17, 20],
      [21, 24],
    ],
  });
}
