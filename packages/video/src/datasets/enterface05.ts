import type { Dataset } from './dataset.js';
import { DATASETS } from './protocols.js';
import { openSubjectDataset, type ClipName } from './subject-dataset.js';

const CLASSES = DATASETS.enterface05.classes;
/** The data set was published without subject 6. */
const LAST_SUBJECT = 44;
const MISSING_SUBJECT = 6;

function readName(names: readonly string[]): ClipName {
  const [subjectFolder = '', emotion = '', sentenceFolder = '', clip = ''] = names;
  const subject = Number(/^subject_([1-9]\d?)$/.exec(subjectFolder)?.[1]);
  const sentence = /^sentence_([1-5])$/.exec(sentenceFolder)?.[1];
  const label = CLASSES.indexOf(emotion);
  const fits =
    subject <= LAST_SUBJECT &&
    subject !== MISSING_SUBJECT &&
    label >= 0 &&
    sentence !== undefined &&
    clip === `s${subject}_${emotion.slice(0, 2)}_${sentence}`;
  if (fits) return { label, subject };
  return {
    problem: `"${names.join('/')}" is not the name of an eNTERFACE05 clip`,
    remedy:
      'Move it elsewhere, or name it as in subject_1/anger/sentence_1/s1_an_1 with the same subject, emotion and ' +
      `sentence throughout: subjects 1 to 44 without 6, sentences 1 to 5, and ${CLASSES.join(', ')}`,
  };
}

/** eNTERFACE05 (Martin et al., 2006): folders are subject, emotion, sentence, clip. Five subject-independent folds. */
export function openEnterface05(root: string): Dataset {
  return openSubjectDataset(root, {
    name: 'enterface05',
    depth: 4,
    readName,
    testSubjects: [
      [1, 10],
      [11, 19],
      [20, 28],
      [29, 37],
      [38, 44],
    ],
  });
}
